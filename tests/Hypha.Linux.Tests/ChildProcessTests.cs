namespace Hypha.Linux.Tests;

// One test: waiting takes any child of the process.
public sealed class ChildProcessTests
{
    [Fact]
    public void A_child_gets_the_files_given_and_its_end_is_told_with_its_pid()
    {
        Pipe output = Pipe.Make();
        using FileDescriptor none = FileDescriptor.Open("/dev/null", OpenFlags.ReadOnly);
        int pid = ChildProcess.Spawn("/bin/sh", ["sh", "-c", "echo \"$0\" \"$(ls /proc/self/fd | wc -l)\"; exit 5", "a b"], [none, output.WriteEnd, none]);
        output.WriteEnd.Dispose();
        var bytes = new byte[100];
        int count = output.ReadEnd.Read(bytes, "reading");
        Assert.StartsWith("a b ", System.Text.Encoding.UTF8.GetString(bytes, 0, count));
        Assert.Equal(new ChildExit(pid, Signaled: false, 5), ChildProcess.WaitAny());

        pid = ChildProcess.Spawn("/bin/sleep", ["sleep", "1000"], [none, none, none]);
        Assert.True(ChildProcess.Kill(pid, 9));
        Assert.Equal(new ChildExit(pid, Signaled: true, 9), ChildProcess.WaitAny());
        Assert.False(ChildProcess.Kill(pid, 9));
        Assert.Null(ChildProcess.WaitAny());
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => ChildProcess.Spawn("/nowhere", ["x"], [none])).Error);
    }
}
