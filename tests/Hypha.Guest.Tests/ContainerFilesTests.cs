using Google.Protobuf;
using Hypha.Guest.Start;

namespace Hypha.Guest.Tests;

public sealed class ContainerFilesTests : IDisposable
{
    private readonly string _outside = Directory.CreateTempSubdirectory("hypha-files").FullName;

    private string Root => Path.Combine(_outside, "root");

    [Fact]
    public void A_file_of_a_running_container_is_replaced_and_its_links_lead_nowhere_but_into_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "another root needs root");
        string target = Path.Combine(_outside, "target");
        Directory.CreateDirectory(target);
        File.WriteAllText(Path.Combine(target, "file"), "the host's");
        // As outside of the container, so inside: a directory that is a link there, and a file that is one.
        Directory.CreateDirectory(Root + target);
        Directory.CreateSymbolicLink(Path.Combine(Root, "etc"), target);
        File.CreateSymbolicLink(Root + target + "/resolv.conf", Path.Combine(target, "file"));

        ContainerFileSystems.Write(Root,
        [
            new Protocol.Guest.File { Path = "/etc/resolv.conf", Content = ByteString.CopyFromUtf8("new"), Mode = 0x1A4 },
            new Protocol.Guest.File { Path = "/made/hosts", Content = ByteString.CopyFromUtf8("hosts"), Mode = 0x180 },
        ]);
        Assert.Equal("new", File.ReadAllText(Root + target + "/resolv.conf"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Root, "made/hosts")));
        Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName));
        Assert.Equal("the host's", File.ReadAllText(Path.Combine(target, "file")));
        Assert.Contains("without an absolute path", Assert.Throws<StartException>(() => ContainerFileSystems.Write(Root, [new Protocol.Guest.File { Path = "etc/hosts" }])).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_outside, recursive: true);
}
