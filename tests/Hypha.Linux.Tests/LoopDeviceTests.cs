using System.Security.Cryptography;

namespace Hypha.Linux.Tests;

public sealed class LoopDeviceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-loop-").FullName;

    [Fact]
    public void A_file_is_read_through_its_device_and_let_go_with_it()
    {
        string path = MakeFile(1 << 20);
        string device;
        using (LoopDevice loop = Attach(path))
        {
            device = loop.Path;
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(device));
            Assert.Equal(path, File.ReadAllText($"/sys/block/loop{loop.Number}/loop/backing_file").TrimEnd('\n'));
            Assert.Equal(7u, loop.Major);
        }
        Assert.False(File.Exists($"/sys/block/{Path.GetFileName(device)}/loop/backing_file"));
    }

    [Fact]
    public void A_read_only_device_cannot_be_written()
    {
        using LoopDevice loop = Attach(MakeFile(1 << 16));
        Assert.Equal("1\n", File.ReadAllText($"/sys/block/loop{loop.Number}/ro"));
        var refused = Assert.ThrowsAny<Exception>(() =>
        {
            using FileDescriptor device = FileDescriptor.Open(loop.Path, OpenFlags.ReadWrite);
            device.Write(new byte[512], "writing");
        });
        Assert.True(refused is LinuxException { Error: Errno.EROFS or Errno.EPERM or Errno.EACCES }, refused.Message);
    }

    [Fact]
    public void A_device_that_somebody_else_has_open_outlives_its_maker()
    {
        string path = MakeFile(1 << 16);
        LoopDevice loop = Attach(path);
        using (FileDescriptor user = FileDescriptor.Open(loop.Path, OpenFlags.ReadOnly))
        {
            loop.Dispose();
            Assert.True(File.Exists($"/sys/block/loop{loop.Number}/loop/backing_file"));
        }
        // The kernel lets go of the file a little after the last close.
        Assert.True(SpinWait.SpinUntil(() => !File.Exists($"/sys/block/loop{loop.Number}/loop/backing_file"), TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Devices_attached_at_once_are_different_ones()
    {
        string[] paths = [.. Enumerable.Range(0, 4).Select(_ => MakeFile(1 << 16))];
        using (Attach(paths[0]))
        {
            // skipped where there is no loop driver
        }
        LoopDevice[] loops = [.. paths.AsParallel().WithDegreeOfParallelism(4).Select(path => LoopDevice.Attach(path, readOnly: true))];
        Assert.Equal(paths.Length, loops.Select(loop => loop.Number).Distinct().Count());
        Array.ForEach(loops, loop => loop.Dispose());
    }

    [Fact]
    public void What_is_no_regular_file_is_refused()
    {
        string link = Path.Combine(_directory, "link");
        File.CreateSymbolicLink(link, MakeFile(1 << 16));
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => LoopDevice.Attach(link, readOnly: true)).Error);
        Assert.Contains("no regular file", Assert.Throws<LinuxException>(() => LoopDevice.Attach(_directory, readOnly: true)).Message);
        Assert.Contains("no regular file", Assert.Throws<LinuxException>(() => LoopDevice.Attach("/dev/null", readOnly: true)).Message);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => LoopDevice.Attach(_directory + "/none", readOnly: true)).Error);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static LoopDevice Attach(string path)
    {
        try
        {
            return LoopDevice.Attach(path, readOnly: true);
        }
        catch (LinuxException error) when (error.Error is Errno.ENOENT or Errno.EPERM or Errno.EACCES or Errno.ENXIO)
        {
            Assert.Skip($"no loop devices here: {error.Message}");
            throw;
        }
    }

    private string MakeFile(int length)
    {
        string path = Path.Combine(_directory, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(length));
        return path;
    }
}
