using System.Text.Json.Nodes;
using Hypha.Oci.Tests.Kit;

namespace Hypha.Oci.Tests;

/// <summary>Pulling from Debian's docker-registry, filled by skopeo.</summary>
public sealed class RegistryTests : ImageTest
{
    private static byte[] Lower => new TarBuilder().Directory("etc").File("etc/os", "hypha\n").File("gone", "g").End();
    private static byte[] Upper => new TarBuilder().File(".wh.gone").File("new", "n").End();

    // Rooted, so that who waits for it, and its connection, are not collected.
    private static readonly TaskCompletionSource s_never = new();

    private ImageStore Store(ImageStoreOptions? options = null) => new(At("store"), options ?? ImageStoreOptions.Default);

    private static ImagePullOptions With(PullPolicy policy) => new() { Pull = policy };

    [Theory]
    [InlineData("oci", "gzip"), InlineData("v2s2", "gzip"), InlineData("oci", "zstd")]
    public async Task An_image_is_pulled_by_tag_and_by_digest_in_both_formats(string format, string compression)
    {
        using var registry = new DockerRegistry(At("registry"));
        registry.Push(Image(Lower, Upper), "some/image:1.0", "--format", format, "--dest-compress-format", compression, "--dest-compress");
        ImageStore store = Store();
        StoredImage image = await store.GetAsync(ImageReference.Parse($"{registry.Host}/some/image:1.0"), ImagePullOptions.Default, null, CancellationToken.None);

        Assert.Equal(["/bin/sh"], image.Config.Cmd);
        Assert.Equal("7:8", image.Config.User);
        Assert.Equal("hypha\n", Tool.Run("unsquashfs", "-cat", image.SquashfsPath, "etc/os"));
        Assert.DoesNotContain("gone", Tool.Run("unsquashfs", "-l", image.SquashfsPath), StringComparison.Ordinal);
        Assert.Contains($"{registry.Host}/some/image:1.0", image.References);
        Assert.Equal(image.Digest, Assert.Single(store.List()).Digest);

        StoredImage pinned = await new ImageStore(At("store2"), ImageStoreOptions.Default)
            .GetAsync(ImageReference.Parse($"{registry.Host}/some/image@{image.Digest}"), ImagePullOptions.Default, null, CancellationToken.None);
        Assert.Equal(image.Digest, pinned.Digest);
        Assert.Equal(File.ReadAllBytes(image.SquashfsPath), File.ReadAllBytes(pinned.SquashfsPath));
    }

    [Fact]
    public async Task What_is_here_is_used_without_the_registry_and_a_tag_is_asked_for_again_when_told_to()
    {
        ImageReference name, pinned;
        Sha256Digest first;
        using (var registry = new DockerRegistry(At("registry")))
        {
            registry.Push(Image(Lower), "app:v1");
            name = ImageReference.Parse($"{registry.Host}/app:v1");
            StoredImage image = await Store().GetAsync(name, ImagePullOptions.Default, null, CancellationToken.None);
            (first, pinned) = (image.Digest, name.WithoutTag(image.Digest));
            Assert.Equal(first, (await Store().GetAsync(name, With(PullPolicy.Always), null, CancellationToken.None)).Digest);

            registry.Push(Layout.Create(At("layout2"), [Upper]), "app:v1");
            Assert.Equal(first, (await Store().GetAsync(name, With(PullPolicy.Missing), null, CancellationToken.None)).Digest);
            Assert.NotEqual(first, (await Store().GetAsync(name, With(PullPolicy.Always), null, CancellationToken.None)).Digest);
        }
        // The registry is gone.
        Assert.Equal(first, (await Store().GetAsync(pinned, ImagePullOptions.Default, null, CancellationToken.None)).Digest);
        Assert.NotEqual(first, (await Store().GetAsync(name, With(PullPolicy.Never), null, CancellationToken.None)).Digest);
        var error = await Assert.ThrowsAsync<ImageException>(() => Store().GetAsync(name, With(PullPolicy.Always), null, CancellationToken.None));
        Assert.Matches("^cannot reach 127.0.0.1:[0-9]+ for .*: nothing listens on port [0-9]+$", error.Message);
        Assert.Equal(2, Store().List().Count);
    }

    [Fact]
    public async Task Image_and_tag_that_do_not_exist_are_said_to_be_missing()
    {
        using var registry = new DockerRegistry(At("registry"));
        registry.Push(Image(Lower), "app:v1");
        foreach (string name in new[] { "nothing:v1", "app:v2" })
        {
            var error = await Assert.ThrowsAsync<ImageException>(() => Store().GetAsync(ImageReference.Parse($"{registry.Host}/{name}"), ImagePullOptions.Default, null, CancellationToken.None));
            Assert.Equal($"{registry.Host} has no image {registry.Host}/{name}; check the name and the tag", error.Message);
        }
    }

    [Fact]
    public async Task An_index_leads_to_the_image_for_this_platform()
    {
        Layout layout = Image(Lower);
        JsonObject manifest = JsonNode.Parse(File.ReadAllText(At("layout/index.json")))!["manifests"]![0]!.AsObject();
        var wrong = (JsonObject)manifest.DeepClone();
        wrong["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "arm64" };
        wrong["digest"] = "sha256:" + new string('0', 64);
        manifest["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "amd64" };
        var index = new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(wrong, manifest.DeepClone()) };
        layout.Index(layout.Blob(System.Text.Encoding.UTF8.GetBytes(index.ToJsonString()), "application/vnd.oci.image.index.v1+json"));
        using LyingRegistry registry = LyingRegistry.Over(layout, (_, _) => Task.FromResult(false));
        StoredImage image = await Store().GetAsync(ImageReference.Parse($"{registry.Host}/app:t"), ImagePullOptions.Default, null, CancellationToken.None);
        Assert.Equal("hypha\n", Tool.Run("unsquashfs", "-cat", image.SquashfsPath, "etc/os"));
        await PackAsync($"oci:{layout.Path}:t");
    }

    [Fact]
    public async Task Callers_who_want_one_image_share_one_download_and_one_who_gives_up_does_not_end_it()
    {
        Layout layout = Image(Lower, Upper);
        var release = new TaskCompletionSource();
        using LyingRegistry registry = LyingRegistry.Over(layout, async (request, _) =>
        {
            if (request.Path.Contains("/blobs/", StringComparison.Ordinal))
                await release.Task;
            return false;
        });
        ImageStore store = Store();
        ImageReference name = ImageReference.Parse($"{registry.Host}/app:t");
        using var impatient = new CancellationTokenSource();
        Task<StoredImage>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => store.GetAsync(name, ImagePullOptions.Default, null, CancellationToken.None))];
        Task<StoredImage> givenUp = store.GetAsync(name, ImagePullOptions.Default, null, impatient.Token);
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        release.SetResult();
        StoredImage[] images = await Task.WhenAll(waiting);
        Assert.Single(images.Select(i => i.SquashfsPath).Distinct());
        Assert.Equal(registry.Requests.Count, registry.Requests.Select(r => r.Method + r.Path).Distinct().Count());
    }

    [Fact]
    public async Task A_pull_that_is_cancelled_leaves_nothing()
    {
        Layout layout = Image(Lower);
        var asked = new TaskCompletionSource();
        using LyingRegistry registry = LyingRegistry.Over(layout, async (request, stream) =>
        {
            if (!request.Path.Contains("/blobs/", StringComparison.Ordinal) || File.ReadAllBytes(layout.BlobPath(Sha256Digest.Parse(request.Path.Split('/')[^1], ""))) is [(byte)'{', ..])
                return false;
            await LyingRegistry.SendHeadAsync(stream, "200 OK");
            asked.SetResult();
            await s_never.Task;
            return true;
        });
        using var cancel = new CancellationTokenSource();
        Task<StoredImage> pull = Store().GetAsync(ImageReference.Parse($"{registry.Host}/app:t"), ImagePullOptions.Default, null, cancel.Token);
        await asked.Task;
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        Assert.Empty(Directory.EnumerateFileSystemEntries(At("store")));
    }

    [Fact]
    public void What_an_interrupted_pull_left_is_swept_when_the_store_is_opened()
    {
        Directory.CreateDirectory(At("store/.tmp-0123"));
        File.WriteAllText(At("store/.tmp-0123/image.squashfs"), "half");
        File.WriteAllText(At("store/references.json.0123.tmp"), "half");
        Assert.Empty(Store().List());
        Assert.Empty(Directory.EnumerateFileSystemEntries(At("store")));
    }
}
