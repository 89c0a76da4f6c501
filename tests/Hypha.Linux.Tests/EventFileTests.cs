using System.IO.Pipes;

namespace Hypha.Linux.Tests;

public sealed class EventFileTests
{
    [Fact]
    public async Task A_wait_ends_when_there_is_something_to_read_or_the_flag_is_set()
    {
        using var writer = new AnonymousPipeServerStream(PipeDirection.Out);
        using FileDescriptor reader = FileDescriptor.Open($"/proc/self/fd/{writer.ClientSafePipeHandle.DangerousGetHandle()}", OpenFlags.ReadOnly);
        using var flag = new EventFile();
        Task<bool> wait = Task.Run(() => flag.WaitReadable(reader));
        writer.WriteByte(1);
        Assert.True(await wait.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(1, reader.Read(new byte[10], "reading a pipe"));
        wait = Task.Run(() => flag.WaitReadable(reader));
        flag.Set();
        Assert.False(await wait.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(flag.WaitReadable(reader));
    }
}
