using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Hypha.Squashfs.Tests;

public sealed class SquashfsWriterTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-squashfs-").FullName;

    // By rm, for a name that is no text cannot be deleted through .NET's strings.
    public void Dispose() => Run("rm", "-rf", _directory);

    [Fact]
    public void Every_kind_of_node_is_listed_by_unsquashfs_as_it_was_put_in()
    {
        var tree = new FileTree();
        var etc = new DirectoryInode { Permissions = 0b111_101_000, Uid = 3, Gid = 4_000_000_000, ModificationTime = 1_000_000_000 };
        tree.Root.Set(FileName.From("etc"), etc);
        var shared = new FileInode(FileContent.FromBytes("hello\n"u8.ToArray())) { Permissions = 0b100_111_101_101, Uid = 7, ModificationTime = 86400 };
        etc.Set(FileName.From("a"), shared);
        tree.Root.Set(FileName.From("b"), shared);
        tree.Root.Set(FileName.From("empty"), new FileInode(FileContent.Empty) { Permissions = 0b110_100_100 });
        tree.Root.Set(FileName.From("link"), new SymlinkInode("etc/a"u8.ToArray()) { Permissions = 0x1FF });
        tree.Root.Set(FileName.From("tty"), new DeviceInode(DeviceKind.Character, 5, 1) { Permissions = 0b110_110_110 });
        tree.Root.Set(FileName.From("disk"), new DeviceInode(DeviceKind.Block, 202, 255) { Permissions = 0b110_000_000 });
        tree.Root.Set(FileName.From("fifo"), new PipeInode(PipeKind.Fifo) { Permissions = 0b110_000_000 });
        tree.Root.Set(FileName.From("socket"), new PipeInode(PipeKind.Socket) { Permissions = 0b110_000_000 });

        string listing = Unsquashfs("-lln", "-UTC", Write(tree));
        string[] lines = [.. listing.Split('\n').Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Contains("drwxr-x--- 3/4000000000 24 2001-09-09 01:46 squashfs-root/etc", lines);
        Assert.Contains("-rwsr-xr-x 7/0 6 1970-01-02 00:00 squashfs-root/etc/a", lines);
        Assert.Contains("-rwsr-xr-x 7/0 6 1970-01-02 00:00 squashfs-root/b", lines);
        Assert.Contains("-rw-r--r-- 0/0 0 1970-01-01 00:00 squashfs-root/empty", lines);
        Assert.Contains("lrwxrwxrwx 0/0 5 1970-01-01 00:00 squashfs-root/link -> etc/a", lines);
        Assert.Contains("crw-rw-rw- 0/0 5, 1 1970-01-01 00:00 squashfs-root/tty", lines);
        Assert.Contains("brw------- 0/0 202,255 1970-01-01 00:00 squashfs-root/disk", lines);
        Assert.Contains("prw------- 0/0 0 1970-01-01 00:00 squashfs-root/fifo", lines);
        Assert.Contains("srw------- 0/0 0 1970-01-01 00:00 squashfs-root/socket", lines);
    }

    [Fact]
    public void Contents_and_hard_links_come_back_and_equal_contents_are_stored_once()
    {
        byte[] big = RandomNumberGenerator.GetBytes(1_000_003);
        var tree = new FileTree();
        var inode = new FileInode(FileContent.FromBytes(big)) { Permissions = 0x1A4 };
        tree.Root.Set(FileName.From("one"), inode);
        tree.Root.Set(FileName.From("two"), inode);
        tree.Root.Set(FileName.From("copy"), new FileInode(FileContent.FromBytes(big)) { Permissions = 0x1A4 });
        string file = Write(tree);
        Assert.InRange(new FileInfo(file).Length, 1_000_003, 1_100_000);
        Assert.Equal(0, new FileInfo(file).Length % 4096);

        string root = Path.Combine(_directory, "out");
        Unsquashfs("-q", "-n", "-d", root, file);
        Assert.Equal(big, File.ReadAllBytes(Path.Combine(root, "one")));
        Assert.Equal(big, File.ReadAllBytes(Path.Combine(root, "copy")));
        Assert.Equal("2 2 1\n", Run("stat", "-c", "%h", Path.Combine(root, "one"), Path.Combine(root, "two"), Path.Combine(root, "copy")).Replace("\n", " ", StringComparison.Ordinal).TrimEnd() + "\n");
    }

    [Fact]
    public void Extended_attributes_keep_every_byte_and_what_cannot_be_held_is_said_once()
    {
        byte[] value = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        var tree = new FileTree();
        for (int i = 0; i < 3; i++)
        {
            tree.Root.Set(FileName.From($"f{i}"), new FileInode(FileContent.FromBytes(new byte[] { (byte)i }))
            {
                Xattrs = [new("user.all"u8.ToArray(), value), new("system.posix_acl_access"u8.ToArray(), [2, 0, 0, 0])],
            });
        }
        tree.Root.Set(FileName.From("d"), new DirectoryInode { Xattrs = [new("user.dir"u8.ToArray(), "x"u8.ToArray())] });
        var warnings = new List<string>();
        string root = Path.Combine(_directory, "out");
        Unsquashfs("-q", "-n", "-d", root, Write(tree, warnings: warnings));
        Assert.Equal(["a squashfs holds no extended attributes system.*; they were left out"], warnings);
        string dump = Run("getfattr", "-d", "-m", "-", "-e", "hex", "--absolute-names", Path.Combine(root, "f1"), Path.Combine(root, "d"));
        Assert.Contains($"user.all=0x{Convert.ToHexStringLower(value)}", dump, StringComparison.Ordinal);
        Assert.Contains("user.dir=0x78", dump, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_tree_gives_the_same_bytes_whatever_the_number_of_workers()
    {
        var hashes = new HashSet<string>();
        foreach (int workers in new[] { 1, 2, 7, 2 })
        {
            var random = new Random(5);
            var tree = new FileTree();
            for (int i = 0; i < 300; i++)
            {
                byte[] content = new byte[random.Next(300_000)];
                random.NextBytes(content.AsSpan(0, content.Length / 3));
                tree.Root.Set(FileName.From($"f{i}"), new FileInode(FileContent.FromBytes(content)));
            }
            hashes.Add(Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Write(tree, new SquashfsOptions { Workers = workers })))));
        }
        Assert.Single(hashes);
    }

    [Fact]
    public void A_hundred_thousand_names_in_one_directory_and_bytes_that_are_no_text_come_back()
    {
        var tree = new FileTree();
        for (int i = 0; i < 100_000; i++)
            tree.Root.Set(FileName.From($"file-with-a-rather-long-name-{i}"), new FileInode(FileContent.Empty));
        Assert.True(FileName.TryCreate([0xFF, 0xFE, (byte)'\n', 0x80], out FileName odd));
        tree.Root.Set(odd, new FileInode(FileContent.Empty));
        Assert.True(FileName.TryCreate(Enumerable.Repeat((byte)'n', 255).ToArray(), out FileName longest));
        tree.Root.Set(longest, new FileInode(FileContent.Empty));
        string root = Path.Combine(_directory, "out");
        Unsquashfs("-q", "-n", "-d", root, Write(tree));
        string count = Run("sh", "-c", $"cd {root}; ls -U | grep -c file-with; test -f \"$(printf '\\377\\376\\n\\200')\" && echo odd; test -f {new string('n', 255)} && echo longest");
        Assert.Equal("100000\nodd\nlongest\n", count);
    }

    [Fact]
    public void A_full_disk_is_said_as_such()
    {
        var tree = new FileTree();
        tree.Root.Set(FileName.From("big"), new FileInode(FileContent.FromBytes(RandomNumberGenerator.GetBytes(1 << 20))));
        using var output = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.ReadWrite);
        var error = Assert.Throws<SquashfsException>(() =>
        {
            using var writer = new SquashfsWriter(output, new SquashfsOptions());
            writer.Complete(tree);
        });
        Assert.Contains("No space left on device", error.Message, StringComparison.Ordinal);
    }

    // unsquashfs 4.5 decodes eight bits of each; the kernel's macros (linux/kdev_t.h) decide.
    [Theory]
    [InlineData(8, 1), InlineData(4095, 0xFFFFF), InlineData(259, 65536), InlineData(1, 256)]
    public void A_device_number_is_decoded_by_the_kernel_as_it_was_put_in(uint major, uint minor)
    {
        uint number = new DeviceInode(DeviceKind.Block, major, minor).Number32;
        Assert.Equal(major, (number & 0xFFF00) >> 8);
        Assert.Equal(minor, (number & 0xFF) | ((number >> 12) & 0xFFF00));
    }

    [Theory]
    [InlineData(""), InlineData("."), InlineData(".."), InlineData("a/b"), InlineData("a\0b")]
    public void A_name_that_no_directory_can_hold_is_refused(string name) =>
        Assert.False(FileName.TryCreate(Encoding.UTF8.GetBytes(name), out _));

    private int _files;

    private string Write(FileTree tree, SquashfsOptions? options = null, List<string>? warnings = null)
    {
        string path = Path.Combine(_directory, $"image{_files++}.squashfs");
        using var output = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        using var writer = new SquashfsWriter(output, options ?? new SquashfsOptions());
        writer.Complete(tree);
        warnings?.AddRange(writer.Warnings);
        return path;
    }

    private static string Unsquashfs(params string[] arguments) => Run("unsquashfs", arguments);

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} exits with {process.ExitCode}: {errors.Result}{output}");
        return output;
    }
}
