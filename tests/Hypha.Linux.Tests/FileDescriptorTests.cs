namespace Hypha.Linux.Tests;

public sealed class FileDescriptorTests
{
    [Fact]
    public void Open_of_a_missing_path_names_the_path_and_the_reason()
    {
        var error = Assert.Throws<LinuxException>(() => FileDescriptor.Open("/nonexistent/x", OpenFlags.ReadOnly));
        Assert.Equal(Errno.ENOENT, error.Error);
        Assert.Equal("opening /nonexistent/x: no such file or directory (ENOENT)", error.Message);
    }

    [Fact]
    public void Read_returns_zero_at_the_end()
    {
        using var file = FileDescriptor.Open("/dev/null", OpenFlags.ReadOnly);
        Assert.Equal(0, file.Read(new byte[16], "reading /dev/null"));
    }
}
