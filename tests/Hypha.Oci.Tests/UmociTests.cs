using System.Text;
using Hypha.Oci.Tests.Kit;

namespace Hypha.Oci.Tests;

/// <summary>The packed tree against umoci's, node by node. Needs root: devices, owners and security.* attributes.</summary>
public sealed class UmociTests : ImageTest
{
    private static byte[] Capability => [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // cap_net_bind_service=ep, not UTF-8 safe with 0x80 below

    [Theory]
    [InlineData("gzip"), InlineData("zstd"), InlineData("none")]
    public async Task A_layer_with_every_kind_of_entry_gives_the_tree_that_umoci_unpacks(string compression)
    {
        byte[] layer = new TarBuilder()
            .Directory("./", 493, mtime: 77)
            .Directory("etc", 488, 3, 4, 1_600_000_000)
            .File("etc/passwd", "root:x:0:0\n", 384, 1000, 1000, 1_500_000_000)
            .HardLink("etc/shadow", "etc/passwd")
            .File("bin/su", "#!\n", 2541, 0, 42)
            .Symlink("sh", "bin/../su")
            .Symlink("absolute", "/etc/passwd")
            .HardLink("sh2", "sh")
            .Device('3', "dev/tty", 5, 0)
            .Device('4', "dev/sda", 8, 255)
            .Fifo("run/fifo")
            .File("huge-id", "x", uid: 2_147_483_648, gid: 4_294_967_294)
            .File(string.Join('/', Enumerable.Repeat(new string('d', 200), 5)) + "/" + new string('f', 255), "deep")
            .Symlink("long-link", new string('t', 3000))
            .Pax(("SCHILY.xattr.user.all", [.. Enumerable.Range(0, 256).Select(i => (byte)i)]), ("SCHILY.xattr.security.capability", Capability), ("mtime", "1234567890.987654321"u8.ToArray()))
            .File("bin/ping", "ping")
            .Pax(("SCHILY.xattr.user.dir", [0x80, 0xFF]), ("path", Encoding.UTF8.GetBytes("dir/ünï")))
            .Directory("x")
            .Entry('0', [0xFF, (byte)'a', (byte)'\n', 0x80], "odd"u8.ToArray(), [], 420, 0, 0, 5, 0, 0)
            .End();
        // umoci 0.4 knows no zstd; the tree is the same however its layer was packed.
        Layout plain = Layout.Create(At("plain"), [layer], Packing.Gzip);
        Layout packed = Layout.Create(At("packed"), [layer], Enum.Parse<Packing>(compression, ignoreCase: true));
        await AssertSameAsync(plain, packed);
    }

    [Fact]
    public async Task Whiteouts_opaque_directories_and_changed_types_give_the_tree_that_umoci_unpacks()
    {
        byte[] lower = new TarBuilder()
            .Directory("a").File("a/1", "1").File("a/2", "2").Directory("a/sub").File("a/sub/x", "x")
            .Directory("b").File("b/1", "b1").Directory("b/old").File("b/old/deep", "d")
            .File("file-to-directory", "f").Directory("directory-to-file").File("directory-to-file/in", "i")
            .Directory("directory-to-link").File("directory-to-link/in", "i").Symlink("link-to-file", "a/1")
            .File("linked", "shared").HardLink("linked2", "linked").File("replaced", "old").HardLink("replaced2", "replaced")
            .Symlink("var", "real/var").Directory("real").Directory("real/var").File("real/var/kept", "k")
            .Directory("empty").File("gone", "g").Directory("whole").File("whole/x", "x")
            .End();
        byte[] upper = new TarBuilder()
            .File("a/.wh.1").Directory("a", 448, 5, 6)
            .File("b/new", "n").File("b/.wh..wh..opq").Directory("b/old").File("b/old/fresh", "f")
            .Directory("file-to-directory").File("file-to-directory/in", "i").File("directory-to-file", "f")
            .Symlink("directory-to-link", "a").File("link-to-file", "now a file")
            .File("replaced", "new").HardLink("linked3", "linked")
            .File("var/through-the-link", "t").File(".wh.gone").File(".wh.whole").File(".wh.never-was").File("nowhere/.wh.x")
            .End();
        byte[] top = new TarBuilder()
            .File("whole", "a file again").File(".wh.linked").Directory("opq").File("opq/.wh..wh..opq").File("var/.wh.kept")
            .End();
        Layout layout = Image(lower, upper, top);
        await AssertSameAsync(layout, layout);
    }

    [Fact]
    public async Task Sparse_files_of_every_format_have_the_content_that_tar_gave_them()
    {
        Directory.CreateDirectory(At("sparse"));
        Tool.Run("sh", "-c", """
            cd "$1" && truncate -s 10M big && printf start | dd of=big conv=notrunc status=none && printf end | dd of=big bs=1 seek=5000000 conv=notrunc status=none
            truncate -s 1M hole && : > none
            i=0; while [ $i -lt 100 ]; do printf x | dd of=pieces bs=1 seek=$((i * 100000)) conv=notrunc status=none; i=$((i+1)); done
            """, "make", At("sparse"));
        foreach (string format in new[] { "gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax --sparse-version=1.0" })
        {
            Tool.Run("sh", "-c", $"cd \"$1\" && tar -S --format={format} -cf ../sparse.tar big hole none pieces", "pack", At("sparse"));
            Layout layout = Layout.Create(At("layout-" + format), [File.ReadAllBytes(At("sparse.tar"))]);
            await PackAsync($"oci:{layout.Path}", format + ".squashfs");
            Tool.Run("unsquashfs", "-q", "-n", "-f", "-d", At("out"), Target(format + ".squashfs"));
            Tool.Run("diff", "-r", At("sparse"), At("out"));
            Assert.InRange(new FileInfo(Target(format + ".squashfs")).Length, 4096, 100_000);
        }
    }

    private async Task AssertSameAsync(Layout forUmoci, Layout forUs)
    {
        Tool.Run("umoci", "unpack", "--image", $"{forUmoci.Path}:t", At("bundle"));
        await PackAsync($"oci:{forUs.Path}:t");
        Tool.Run("unsquashfs", "-q", "-n", "-d", At("ours"), Target());
        Assert.Equal(Extracted.List(At("bundle/rootfs"), times: false), Extracted.List(At("ours"), times: false));
    }
}
