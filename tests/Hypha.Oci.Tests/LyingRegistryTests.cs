using System.Text;
using Hypha.Oci.Tests.Kit;

namespace Hypha.Oci.Tests;

/// <summary>Registries that lie, fail or stand still: one sentence each, nothing kept.</summary>
public sealed class LyingRegistryTests : ImageTest
{
    private static readonly ImageStoreOptions s_impatient = new() { AnswerTimeout = TimeSpan.FromSeconds(1), StallTimeout = TimeSpan.FromSeconds(1) };

    // Rooted, so that who waits for it, and its connection, are not collected.
    private static readonly TaskCompletionSource s_never = new();

    private Layout Honest => Image(new TarBuilder().File("a", new string('a', 100_000)).End());

    private bool IsLayer(LyingRegistry.Request request) => request.Path.Contains("/blobs/", StringComparison.Ordinal)
        && File.ReadAllBytes(At("layout/blobs/sha256/" + request.Path.Split(':')[^1])) is not [(byte)'{', ..];

    private byte[] Layer(LyingRegistry.Request request) => File.ReadAllBytes(At("layout/blobs/sha256/" + request.Path.Split(':')[^1]));

    private async Task<string> RefusedAsync(LyingRegistry registry, string name = "app:t")
    {
        var store = new ImageStore(At("store"), s_impatient);
        var error = await Assert.ThrowsAsync<ImageException>(() =>
            store.GetAsync(ImageReference.Parse($"{registry.Host}/{name}"), ImagePullOptions.Default, null, CancellationToken.None));
        Assert.Empty(Directory.EnumerateFileSystemEntries(At("store")));
        Assert.DoesNotContain(error.Message, char.IsControl);
        return error.Message.Replace(registry.Host, "HOST", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_layer_of_the_same_length()
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (!IsLayer(request))
                return false;
            byte[] layer = Layer(request);
            layer[^1] ^= 1;
            await LyingRegistry.SendAsync(stream, "200 OK", layer);
            return true;
        });
        Assert.Matches("^layer 1 of 1 has the digest sha256:[0-9a-f]+, but its manifest says sha256:[0-9a-f]+: it was changed or damaged on the way", await RefusedAsync(registry));
    }

    [Fact]
    public async Task A_layer_that_ends_early_though_its_length_was_announced()
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (!IsLayer(request))
                return false;
            byte[] layer = Layer(request);
            await LyingRegistry.SendHeadAsync(stream, "200 OK", $"Content-Length: {layer.Length}");
            await stream.WriteAsync(layer.AsMemory(0, layer.Length / 2));
            return true;
        });
        Assert.StartsWith("the download of layer 1 of 1 of HOST/app:t was cut off", await RefusedAsync(registry), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_ends_early_without_a_length()
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (!IsLayer(request))
                return false;
            await LyingRegistry.SendHeadAsync(stream, "200 OK");
            await stream.WriteAsync(Layer(request).AsMemory()[..^7]);
            return true;
        });
        Assert.Matches("^layer 1 of 1 ends after [0-9]+ bytes of [0-9]+: ", await RefusedAsync(registry));
    }

    [Fact]
    public async Task A_layer_that_does_not_end()
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (!IsLayer(request))
                return false;
            await LyingRegistry.SendHeadAsync(stream, "200 OK");
            await stream.WriteAsync(Layer(request));
            for (; ; )
                await stream.WriteAsync(new byte[65536]);
        });
        Assert.Matches("^layer 1 of 1 is longer than the [0-9]+ bytes that its manifest says", await RefusedAsync(registry));
    }

    [Fact]
    public async Task A_length_other_than_the_manifest_says()
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (!IsLayer(request))
                return false;
            await LyingRegistry.SendAsync(stream, "200 OK", [.. Layer(request), 0]);
            return true;
        });
        Assert.Matches("^HOST announces [0-9]+ bytes for layer 1 of 1 of HOST/app:t, but its manifest says [0-9]+", await RefusedAsync(registry));
    }

    [Theory]
    [InlineData("/manifests/"), InlineData("/blobs/")]
    public async Task A_registry_that_does_not_answer(string where)
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, _) =>
        {
            if (request.Path.Contains(where, StringComparison.Ordinal))
                await s_never.Task;
            return false;
        });
        Assert.StartsWith("HOST does not answer (waited 1 s for HOST/app:t)", await RefusedAsync(registry), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_drips()
    {
        using LyingRegistry? registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (!IsLayer(request))
                return false;
            await LyingRegistry.SendHeadAsync(stream, "200 OK", $"Content-Length: {Layer(request).Length}");
            foreach (byte b in Layer(request))
            {
                await stream.WriteAsync(new[] { b });
                await Task.Delay(100);
            }
            return true;
        });
        Assert.StartsWith("the download of layer 1 of 1 of HOST/app:t stands still", await RefusedAsync(registry), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("404 Not Found", "HOST has no image HOST/app:t; check the name and the tag")]
    [InlineData("403 Forbidden", "HOST gives no anonymous access to HOST/app:t (HTTP 403); check the name, or make it public")]
    [InlineData("401 Unauthorized", "HOST wants a login for HOST/app:t, and Hypha pulls anonymously")]
    [InlineData("500 Internal Server Error", "HOST answers HTTP 500 for HOST/app:t; try again later")]
    [InlineData("429 Too Many Requests", "HOST answers that it was asked too often (HTTP 429) for HOST/app:t; try again later")]
    public async Task A_status_that_is_no_success(string status, string message)
    {
        using var registry = new LyingRegistry((_, stream) => LyingRegistry.SendAsync(stream, status, []));
        Assert.Equal(message, await RefusedAsync(registry));
    }

    [Fact]
    public async Task Redirects_in_a_circle()
    {
        using var registry = new LyingRegistry((request, stream) => LyingRegistry.SendAsync(stream, "307 Temporary Redirect", [], $"Location: {request.Path}"));
        Assert.Equal("HOST redirects HOST/app:t more than 5 times", await RefusedAsync(registry));
    }

    [Fact]
    public async Task The_token_goes_to_the_registry_alone_and_not_where_it_redirects()
    {
        Layout layout = Honest;
        using LyingRegistry elsewhere = LyingRegistry.Over(layout, (_, _) => Task.FromResult(false));
        string? self = null;
        using LyingRegistry registry = LyingRegistry.Over(layout, async (request, stream) =>
        {
            if (request.Path.StartsWith("/token", StringComparison.Ordinal))
                await LyingRegistry.SendAsync(stream, "200 OK", Encoding.UTF8.GetBytes("""{"token":"secret"}"""));
            else if (request.Headers.GetValueOrDefault("Authorization") != "Bearer secret")
                await LyingRegistry.SendAsync(stream, "401 Unauthorized", [], $"WWW-Authenticate: Bearer realm=\"http://{self}/token\",service=\"s s\",scope=\"repository:app:pull\"");
            else if (IsLayer(request))
                await LyingRegistry.SendAsync(stream, "307 Temporary Redirect", [], $"Location: http://{elsewhere.Host}{request.Path}");
            else
                return false;
            return true;
        });
        self = registry.Host;
        StoredImage image = await new ImageStore(At("store"), s_impatient).GetAsync(ImageReference.Parse($"{registry.Host}/app:t"), ImagePullOptions.Default, null, CancellationToken.None);
        Assert.True(File.Exists(image.SquashfsPath));
        Assert.Single(registry.Requests, r => r.Path == "/token?service=s%20s&scope=repository%3Aapp%3Apull");
        Assert.All(elsewhere.Requests, r => Assert.False(r.Headers.ContainsKey("Authorization")));
        Assert.NotEmpty(elsewhere.Requests);
    }

    [Fact]
    public async Task A_manifest_that_is_not_the_one_announced_or_pinned()
    {
        using LyingRegistry registry = LyingRegistry.Over(Honest, async (request, stream) =>
        {
            if (request.Method != "GET" || !request.Path.Contains("/manifests/", StringComparison.Ordinal))
                return false;
            await LyingRegistry.SendAsync(stream, "200 OK", "{}"u8.ToArray(), "Docker-Content-Digest: sha256:" + new string('1', 64));
            return true;
        });
        Assert.Matches("^HOST sent a manifest with the digest sha256:[0-9a-f]+ for HOST/app:t, but announced sha256:1111", await RefusedAsync(registry));
        Assert.Matches("^HOST sent a manifest with the digest sha256:[0-9a-f]+ for HOST/app@sha256:2222", await RefusedAsync(registry, "app@sha256:" + new string('2', 64)));
    }

    [Fact]
    public async Task A_manifest_without_end_and_one_that_is_no_json()
    {
        using var endless = new LyingRegistry(async (_, stream) =>
        {
            await LyingRegistry.SendHeadAsync(stream, "200 OK");
            for (; ; )
                await stream.WriteAsync(new byte[65536]);
        });
        Assert.Equal("the manifest of HOST/app:t is larger than 4194304 bytes", await RefusedAsync(endless));
        using var html = new LyingRegistry((_, stream) => LyingRegistry.SendAsync(stream, "200 OK", "<html>"u8.ToArray()));
        Assert.StartsWith("the manifest of HOST/app:t is not the JSON that it should be", await RefusedAsync(html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_without_end_and_no_http_at_all()
    {
        using var headers = new LyingRegistry(async (_, stream) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray());
            for (; ; )
                await stream.WriteAsync("X-More: and more and more and more\r\n"u8.ToArray());
        });
        Assert.StartsWith("cannot reach HOST for HOST/app:t: ", await RefusedAsync(headers), StringComparison.Ordinal);
        using var noise = new LyingRegistry((_, stream) => stream.WriteAsync("SSH-2.0-OpenSSH\r\n"u8.ToArray()).AsTask());
        Assert.Equal("cannot reach HOST for HOST/app:t: its answer is no HTTP or was cut off", await RefusedAsync(noise));
    }
}
