using Hypha.Oci.Tests.Kit;

namespace Hypha.Oci.Tests;

/// <summary>Images in one file, as skopeo writes them.</summary>
public sealed class ArchiveTests : ImageTest
{
    private Layout Layout => Image(new TarBuilder().File("a", "lower").File("gone").End(), new TarBuilder().File(".wh.gone").File("b", "upper").End());

    [Theory]
    [InlineData("oci-archive", ""), InlineData("oci-archive", ":tag"), InlineData("docker-archive", ""), InlineData("docker-archive", ":some/name:tag")]
    public async Task An_archive_gives_the_same_squashfs_as_the_layout(string kind, string name)
    {
        string suffix = kind == "oci-archive" ? ":tag" : ":some/name:tag";
        Tool.Run("skopeo", "--insecure-policy", "copy", "-q", $"oci:{Layout.Path}:t", $"{kind}:{At("image.tar")}{suffix}");
        PackedImage image = await PackAsync($"{kind}:{At("image.tar")}{name}");
        Assert.Equal(["A=b"], image.Config.Env);
        await PackAsync($"oci:{At("layout")}", "layout.squashfs");
        Assert.Equal(File.ReadAllBytes(Target("layout.squashfs")), File.ReadAllBytes(Target()));
    }

    [Fact]
    public async Task A_name_that_an_image_on_disk_does_not_have_is_answered_with_those_it_has()
    {
        Assert.Equal($"oci:{At("layout")} has no tag \"x\"; it has \"t\"", await RefusedAsync($"oci:{Layout.Path}:x"));
        Tool.Run("skopeo", "--insecure-policy", "copy", "-q", $"oci:{At("layout")}:t", $"docker-archive:{At("image.tar")}:some/name:tag");
        Assert.Equal($"docker-archive:{At("image.tar")} has no image \"other\"; it has \"docker.io/some/name:tag\"", (await RefusedAsync($"docker-archive:{At("image.tar")}:other")).Replace("\"some/name:tag\"", "\"docker.io/some/name:tag\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_no_image_is_said_to_be_none()
    {
        File.WriteAllText(At("file"), "text");
        Assert.Contains("is no OCI image layout", await RefusedAsync($"oci:{At("nothing")}"), StringComparison.Ordinal);
        Assert.Contains("cannot be read as a tar archive", await RefusedAsync($"docker-archive:{At("file")}"), StringComparison.Ordinal);
        Assert.Contains("does not exist", await RefusedAsync($"oci-archive:{At("nothing")}"), StringComparison.Ordinal);
        Assert.Contains("the forms are oci:DIR[:TAG]", Assert.Throws<ImageException>(() => ImageSource.Parse("docker:x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_image_gives_the_same_bytes_and_progress_ends_with_done()
    {
        var steps = new List<ImageStep>();
        string source = $"oci:{Layout.Path}";
        await PackAsync(source, "one");
        await ImagePacker.PackAsync(ImageSource.Parse(source), Target("two"), new PackOptions { Workers = 3 }, new Recorder(steps), CancellationToken.None);
        Assert.Equal(File.ReadAllBytes(Target("one")), File.ReadAllBytes(Target("two")));
        Assert.Equal([ImageStep.Resolving, ImageStep.ReadingLayers, ImageStep.Packing, ImageStep.Done], steps.Distinct());
        Assert.Equal(["one", "two"], Directory.EnumerateFileSystemEntries(At("target")).Select(f => Path.GetFileName(f)!).Order());
    }

    private sealed class Recorder(List<ImageStep> steps) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value)
        {
            lock (steps)
                steps.Add(value.Step);
        }
    }
}
