namespace Hypha.Oci.Tests;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36")]
    [InlineData("user/app", "docker.io/user/app:latest")]
    [InlineData("docker.io/busybox", "docker.io/library/busybox:latest")]
    [InlineData("index.docker.io/library/busybox", "docker.io/library/busybox:latest")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/app:v1", "localhost:5000/app:v1")]
    [InlineData("10.0.2.2:5000/a/b/c", "10.0.2.2:5000/a/b/c:latest")]
    [InlineData("[::1]:5000/app", "[::1]:5000/app:latest")]
    [InlineData("ghcr.io/Owner/app", null)]
    [InlineData("a__b/c-_d", null)]
    [InlineData("a__b/c--d.e", "docker.io/a__b/c--d.e:latest")]
    [InlineData("app@" + Digest, "docker.io/library/app@" + Digest)]
    [InlineData("app:v1@" + Digest, "docker.io/library/app:v1@" + Digest)]
    [InlineData("", null), InlineData("App", null), InlineData("app:", null), InlineData("app:-x", null), InlineData("app@sha256:12", null)]
    [InlineData("app@sha512:" + Digest, null), InlineData("a//b", null), InlineData("/a", null), InlineData("a/", null), InlineData("host.tld/../x", null)]
    [InlineData("host.tld:99999x/a", null), InlineData("ä", null), InlineData("a b", null), InlineData("a\n", null), InlineData("app:t\n", null)]
    public void A_name_has_the_meaning_that_docker_gives_it(string text, string? full)
    {
        bool good = ImageReference.TryParse(text, out ImageReference? reference, out string? reason);
        Assert.Equal(full, reference?.ToString());
        Assert.Equal(good, reason is null);
        if (good)
            Assert.Equal(reference, ImageReference.Parse(reference!.ToString()));
    }

    [Fact]
    public void A_name_that_is_wrong_is_answered_with_what_is_wrong_about_it()
    {
        Assert.Equal("\"App\" is not an image's name: the path must be in lower case", Assert.Throws<ImageException>(() => ImageReference.Parse("App")).Message);
        Assert.Contains("digest", Assert.Throws<ImageException>(() => ImageReference.Parse("a@b")).Message, StringComparison.Ordinal);
    }
}
