using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Hypha.Oci.Tests.Kit;

namespace Hypha.Oci.Tests;

/// <summary>Images made to harm: refused in one sentence that names layer and entry, nothing kept.</summary>
public sealed class HostileImageTests : ImageTest
{
    private const string Refused = ". The image is refused; nothing was kept. Check where it comes from.";

    private async Task<string> RefusedAsync(byte[] layer, params byte[][] upper) => await RefusedAsync($"oci:{Image([layer, .. upper]).Path}");

    [Theory]
    [InlineData("../x"), InlineData("/../x"), InlineData("etc/../../root/.ssh/authorized_keys"), InlineData("a/../../x"), InlineData("..")]
    public async Task A_path_that_leaves_the_root(string path) => Assert.Equal(
        $"layer 2 of 2, entry \"{path}\": the path leaves the image's root{Refused}",
        await RefusedAsync(new TarBuilder().File("fine").End(), new TarBuilder().Entry('0', path, "x"u8.ToArray()).End()));

    [Theory]
    [InlineData("../etc/passwd", "the path leaves the image's root")]
    [InlineData("missing", "does not exist")]
    [InlineData("", "the link has no target")]
    [InlineData("/", "is the image's root")]
    [InlineData("dir", "is a directory")]
    [InlineData("link", "is a link to itself")]
    public async Task A_hard_link_to_nothing_outside_or_itself(string target, string reason)
    {
        string message = await RefusedAsync(new TarBuilder().Directory("dir").File("link").End(), new TarBuilder().HardLink("link", target).End());
        Assert.StartsWith("layer 2 of 2, entry \"link\": ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".wh."), InlineData("a/.wh."), InlineData(".wh..."), InlineData(".wh..")]
    public async Task A_whiteout_of_nothing_or_of_the_directory_above(string path) => Assert.Contains(
        "the whiteout names nothing in its directory", await RefusedAsync(new TarBuilder().File(path).End()), StringComparison.Ordinal);

    [Fact]
    public async Task A_whiteout_that_is_a_directory() => Assert.Contains(
        "a name that begins with .wh. cannot be a directory", await RefusedAsync(new TarBuilder().File(".wh.a/b").End()), StringComparison.Ordinal);

    [Fact]
    public async Task Links_in_the_place_of_directories_lead_nowhere_but_inside()
    {
        byte[] lower = new TarBuilder().Symlink("out", "../../../../tmp").Symlink("abs", "/etc").Symlink("loop", "loop").End();
        byte[] upper = new TarBuilder().File("out/a").File("abs/b").End();
        Assert.Equal(["/abs", "/etc", "/etc/b", "/loop", "/out", "/tmp", "/tmp/a"], await PackedNamesAsync($"oci:{Image(lower, upper).Path}"));
        Directory.Delete(At("target"), recursive: true);
        Directory.Delete(At("layout"), recursive: true);
        Assert.Contains("lead in a circle", await RefusedAsync(lower, new TarBuilder().File("loop/x").End()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_is_replaced_and_not_followed_by_an_entry_of_its_name()
    {
        byte[] lower = new TarBuilder().File("target", "kept").Symlink("link", "target").Symlink("dirlink", "dir").Directory("dir").File("dir/in").End();
        byte[] upper = new TarBuilder().File("link", "new").Directory("dirlink").End();
        await PackAsync($"oci:{Image(lower, upper).Path}");
        Assert.Equal("kept", Tool.Run("unsquashfs", "-cat", Target(), "target"));
        Assert.Equal("new", Tool.Run("unsquashfs", "-cat", Target(), "link"));
    }

    [Fact]
    public async Task A_pax_size_wins_over_the_headers_for_what_follows()
    {
        // The header says 0: a reader that strides by it sees the content as the next header (CVE-2025-62518).
        byte[] hidden = new TarBuilder().File("hidden", "h").WithoutEnd();
        byte[] layer = new TarBuilder()
            .Pax(("size", Encoding.ASCII.GetBytes($"{hidden.Length}")))
            .Entry('0', "carrier", hidden, change: h => TarBuilder.Number(h, 124, 12, 0))
            .File("after", "a").End();
        Assert.Equal(["/after", "/carrier"], await PackedNamesAsync($"oci:{Image(layer).Path}"));
    }

    public static TheoryData<string, byte[], string> MalformedArchives => new()
    {
        { "pax without newline", new TarBuilder().Extension('x', "11 path=abc"u8.ToArray()).File("a").End(), "PAX header is malformed" },
        { "pax length too long", new TarBuilder().Extension('x', "99 path=abc\n"u8.ToArray()).File("a").End(), "PAX header is malformed" },
        { "pax length overflows", new TarBuilder().Extension('x', "99999999999 path=abc\n"u8.ToArray()).File("a").End(), "PAX header is malformed" },
        { "pax negative length", new TarBuilder().Extension('x', "-12 path=abc\n"u8.ToArray()).File("a").End(), "PAX header is malformed" },
        { "pax without equals", new TarBuilder().Extension('x', "11 pathabc\n"u8.ToArray()).File("a").End(), "PAX header is malformed" },
        { "pax size is no number", new TarBuilder().Pax(("size", "-1"u8.ToArray())).File("a").End(), "PAX size is not a number" },
        { "pax path with nul", new TarBuilder().Pax(("path", "a\0b"u8.ToArray())).File("a").End(), "the path holds a NUL" },
        { "pax at the end", new TarBuilder().Pax(("path", "a"u8.ToArray())).End(), "ends within an entry" },
        { "negative size", new TarBuilder().Entry('0', "a", change: h => TarBuilder.Number(h, 124, 12, -1)).End(), "size is negative" },
        { "size beyond 63 bits", new TarBuilder().Entry('0', "a", change: h => h.AsSpan(124, 12).Fill(0xBF)).End(), "size is not a number" },
        { "size of letters", new TarBuilder().Entry('0', "a", change: h => "abc"u8.CopyTo(h.AsSpan(124))).End(), "size is not a number" },
        { "uid 2^32", new TarBuilder().File("a", uid: 1L << 32).End(), "owner 4294967296 is out of range" },
        { "uid 2^32-1", new TarBuilder().File("a", uid: (1L << 32) - 1).End(), "owner 4294967295 is out of range" },
        { "uid -1", new TarBuilder().File("a", uid: -1).End(), "owner -1 is out of range" },
        { "device 8:2^20", new TarBuilder().Device('4', "a", 8, 1 << 20).End(), "minor number 1048576 is out of range" },
        { "device 4096:0", new TarBuilder().Device('3', "a", 4096, 0).End(), "major number 4096 is out of range" },
        { "unknown type", new TarBuilder().Entry('Z', "a").End(), "which no image layer may hold" },
        { "checksum", Flip(new TarBuilder().File("a", "x").End(), 3), "checksum is wrong" },
        { "cut in a header", new TarBuilder().File("a", "x").File("b").WithoutEnd()[..1200], "ends within a header" },
        { "cut in a file", new TarBuilder().File("a", new string('x', 2000)).WithoutEnd()[..1000], "ends within a file" },
        { "behind the end", [.. new TarBuilder().File("a").End(), .. new TarBuilder().File("b").End()], "something stands behind the archive's end" },
        { "no tar", Encoding.ASCII.GetBytes(new string('!', 4096)), "checksum is wrong" },
        { "long path", new TarBuilder().File(string.Join('/', Enumerable.Repeat(new string('p', 200), 25))).End(), "longer than 4095 bytes" },
        { "long name", new TarBuilder().File(new string('n', 256)).End(), "longer than 255 bytes" },
        { "ten thousand levels", new TarBuilder().File(string.Concat(Enumerable.Repeat("d/", 2000)) + "f").End(), "deeper than 1024 levels" },
        { "long name without end", new TarBuilder().Extension('L', new byte[2 << 20]).File("a").End(), "extension headers are larger than" },
        { "huge xattrs", Xattrs(10, 60_000), "extended attributes are larger than" },
        { "huge xattr", Xattrs(1, 70_000), "larger than 65536 bytes" },
        { "sparse overlap", Sparse("0,10,5,10", 100, 20), "sparse map is out of order" },
        { "sparse beyond", Sparse("0,10,95,10", 100, 20), "sparse map is out of order" },
        { "sparse overflow", Sparse("9223372036854775807,9223372036854775807", 100, 20), "sparse map is out of order" },
        { "sparse with less stored", Sparse("0,10", 100, 20), "but 20 are stored" },
        { "sparse of 8 EiB", Sparse("0,1", long.MaxValue, 1), "over the limit" },
        { "sparse with a million pieces", Sparse(string.Join(',', Enumerable.Range(0, 140_000)), 1 << 20, 1), "more than 65536 pieces" },
        { "sparse bomb of many files", Repeat(3, Sparse("0,1", 30L << 30, 1)[..^1024]), "grows beyond" },
        { "root as a file", new TarBuilder().File("./").End(), "root must be a directory" },
        { "below a file", new TarBuilder().File("a").File("a/b").End(), "is not a directory" },
    };

    [Theory]
    [MemberData(nameof(MalformedArchives))]
    public async Task A_malformed_archive(string what, byte[] layer, string reason)
    {
        string message = await RefusedAsync(layer);
        Assert.StartsWith("layer 1 of 1", message, StringComparison.Ordinal);
        Assert.True(message.Contains(reason, StringComparison.Ordinal), $"{what}: {message}");
        Assert.EndsWith(Refused, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_characters_stay_in_the_tree_and_are_never_shown_raw()
    {
        Assert.Contains("entry \"\\u{1b}[2J\\n/../..\"", await RefusedAsync(new TarBuilder().File("\u001b[2J\n/../..").End()), StringComparison.Ordinal);
        await PackAsync($"oci:{Layout.Create(At("layout2"), [new TarBuilder().File("\u001b[2J\n").End()]).Path}");
        Assert.Equal("1\n", Tool.Run("sh", "-c", $"unsquashfs -q -n -d {At("out")} {Target()} >/dev/null && ls -q {At("out")} | grep -c '?\\[2J?'"));
    }

    [Theory]
    [InlineData("gzip"), InlineData("zstd")]
    public async Task A_bomb_is_stopped_at_the_limit(string compression)
    {
        Layout layout = Layout.Create(At("layout"), [new TarBuilder().Entry('0', "bomb", new byte[64 << 20]).End()], Enum.Parse<Packing>(compression, ignoreCase: true));
        var options = new PackOptions { Limits = new ImageLimits { ExpandedBytes = 32 << 20 } };
        Assert.Contains("over the limit of 33554432", await RefusedAsync($"oci:{layout.Path}", options), StringComparison.Ordinal);
        options = new PackOptions { Limits = new ImageLimits { ExpandedBytes = 64 << 20 } };
        Assert.Contains("grows beyond 67108864 bytes", await RefusedAsync($"oci:{layout.Path}", options), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_entries_than_the_limit()
    {
        var archive = new TarBuilder();
        for (int i = 0; i < 101; i++)
            archive.File($"f{i}");
        Assert.Contains("more than 100 entries", await RefusedAsync($"oci:{Image(archive.End()).Path}", new PackOptions { Limits = new ImageLimits { Entries = 100 } }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip", "ends within a file"), InlineData("zstd", "cut off")] // GZipStream ends without a word; archive and diff_id tell
    public async Task Compressed_data_that_is_cut_though_its_digest_fits(string compression, string reason)
    {
        var packing = Enum.Parse<Packing>(compression, ignoreCase: true);
        byte[] archive = new TarBuilder().Entry('0', "a", System.Security.Cryptography.RandomNumberGenerator.GetBytes(100_000)).End();
        Layout layout = Layout.Create(At("layout"), [archive], Packing.None, (manifest, _) =>
            manifest["layers"] = new JsonArray(new Layout(At("layout")).Blob(Layout.Compress(archive, packing)[..^1000], "application/vnd.oci.image.layer.v1.tar")));
        Assert.Contains(reason, await RefusedAsync($"oci:{layout.Path}"), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_blob_that_was_changed_on_disk()
    {
        Layout layout = Image(new TarBuilder().File("a", "x").End());
        string blob = Directory.EnumerateFiles(At("layout/blobs/sha256")).Single(f => File.ReadAllBytes(f) is not [(byte)'{', ..]);
        byte[] content = File.ReadAllBytes(blob);
        File.WriteAllBytes(blob, Flip(content, content.Length / 2));
        Assert.Matches("^layer 1 of 1 has the digest .*, but its manifest says ", await RefusedAsync($"oci:{layout.Path}"));
        File.WriteAllBytes(blob, content[..^5]);
        Assert.Matches("^layer 1 of 1 ends after ", await RefusedAsync($"oci:{layout.Path}"));
        File.WriteAllBytes(blob, [.. content, 0]);
        Assert.Matches("^layer 1 of 1 is longer than ", await RefusedAsync($"oci:{layout.Path}"));
        File.Delete(blob);
        Assert.Contains("does not exist", await RefusedAsync($"oci:{layout.Path}"), StringComparison.Ordinal);
        Tool.Run("mkfifo", blob);
        Assert.Contains("is not a regular file", await RefusedAsync($"oci:{layout.Path}"), StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<JsonObject, JsonObject>, string> WrongDocuments => new()
    {
        { "diff_id", (_, c) => c["rootfs"]!["diff_ids"]![0] = "sha256:" + new string('0', 64), "its content has the digest" },
        { "extra diff_id", (_, c) => c["rootfs"]!["diff_ids"]!.AsArray().Add("sha256:" + new string('0', 64)), "has 1 layers, but its configuration speaks of 2" },
        { "no layers", (m, c) => { m["layers"] = new JsonArray(); c["rootfs"]!["diff_ids"] = new JsonArray(); }, "has no layers" },
        { "128 layers", (m, _) => m["layers"] = new JsonArray([.. Enumerable.Range(0, 128).Select(_ => m["layers"]![0]!.DeepClone())]), "has 128 layers; the limit is 127" },
        { "manifest and index", (m, _) => m["manifests"] = new JsonArray(), "image and an index at once" },
        { "size -1", (m, _) => m["layers"]![0]!["size"] = -1, "has no size or a negative one" },
        { "digest climbs", (m, _) => m["layers"]![0]!["digest"] = "sha256:../../../../etc/passwd", "is not a sha256 digest" },
        { "digest md5", (m, _) => m["layers"]![0]!["digest"] = "md5:" + new string('0', 32), "is not a sha256 digest" },
        { "layer type", (m, _) => m["layers"]![0]!["mediaType"] = "application/x-helm", "no layer of a container image" },
        { "artifact", (m, _) => m["config"] = new JsonObject { ["mediaType"] = "application/vnd.oci.empty.v1+json", ["digest"] = "sha256:" + new string('0', 64), ["size"] = 2 }, "is no container image" },
        { "config too large", (m, _) => m["config"] = new JsonObject { ["mediaType"] = "application/vnd.oci.image.config.v1+json", ["digest"] = "sha256:" + new string('0', 64), ["size"] = 5 << 20 }, "the limit is 4194304" },
        { "architecture", (_, c) => c["architecture"] = "arm64", "the image is for \"linux/arm64\"" },
        { "user beyond 2^31", (_, c) => c["config"]!["User"] = "4294967296:0", "is beyond 2147483647" },
        { "user list", (_, c) => c["config"]!["User"] = new JsonArray(), "is not the JSON that it should be" },
        { "env null", (_, c) => c["config"]!["Env"] = new JsonArray((JsonNode?)null), "holds a null" },
        { "cmd with nul", (_, c) => c["config"]!["Cmd"] = new JsonArray("a\0b"), "holds a NUL" },
        { "schema 1", (m, _) => m["schemaVersion"] = 1, "old format" },
        { "deep", (_, c) => c["config"]!["Volumes"] = new JsonObject { ["/x"] = JsonNode.Parse(new string('[', 60) + new string(']', 60)) }, "is not the JSON that it should be" },
    };

    [Theory]
    [MemberData(nameof(WrongDocuments))]
    public async Task A_document_that_is_wrong(string what, Action<JsonObject, JsonObject> change, string reason)
    {
        Layout layout = Layout.Create(At("layout"), [new TarBuilder().File("a").End()], change: change);
        string message = await RefusedAsync($"oci:{layout.Path}");
        Assert.True(message.Contains(reason, StringComparison.Ordinal), $"{what}: {message}");
    }

    [Fact]
    public async Task Duplicate_keys()
    {
        Layout layout = Image(new TarBuilder().File("a").End());
        string index = File.ReadAllText(At("layout/index.json"));
        File.WriteAllText(At("layout/index.json"), index.Replace("\"schemaVersion\":2", "\"schemaVersion\":2,\"schemaVersion\":2", StringComparison.Ordinal));
        Assert.Contains("is not the JSON that it should be", await RefusedAsync($"oci:{layout.Path}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_said_and_nothing_is_kept()
    {
        Layout layout = Image(new TarBuilder().Entry('0', "a", System.Security.Cryptography.RandomNumberGenerator.GetBytes(3 << 20)).End());
        Directory.CreateDirectory(At("target"));
        Tool.Run("mount", "-t", "tmpfs", "-o", "size=2m", "hypha-test", At("target"));
        try
        {
            Assert.Contains("No space left on device", await RefusedAsync($"oci:{layout.Path}"), StringComparison.Ordinal);
            Tool.Run("mount", "-o", "remount,size=4m", At("target")); // room for the contents, none for the squashfs
            Assert.Contains("No space left on device", await RefusedAsync($"oci:{layout.Path}"), StringComparison.Ordinal);
        }
        finally
        {
            Tool.Run("umount", At("target"));
        }
    }

    private static byte[] Flip(byte[] bytes, int at)
    {
        bytes = [.. bytes];
        bytes[at] ^= 0x10;
        return bytes;
    }

    private static byte[] Xattrs(int count, int size) =>
        new TarBuilder().Pax([.. Enumerable.Range(0, count).Select(i => ($"SCHILY.xattr.user.x{i}", new byte[size]))]).File("a").End();

    private static byte[] Sparse(string map, long length, int stored) => new TarBuilder()
        .Pax(("GNU.sparse.map", Encoding.ASCII.GetBytes(map)), ("GNU.sparse.size", Encoding.ASCII.GetBytes($"{length}")))
        .Entry('0', "a", new byte[stored]).End();

    private static byte[] Repeat(int count, byte[] entry) => [.. Enumerable.Repeat(entry, count).SelectMany(e => e), .. new byte[1024]];
}
