using CsCheck;

namespace Hypha.XenStore.Tests;

public sealed class ValueTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/local/domain/3/device/vbd/51712")]
    [InlineData("@releaseDomain")]
    [InlineData("device/vbd")]
    [InlineData("/vm/0b1e-_@")]
    public void Good_paths_are_taken(string text) => Assert.Equal(text, StorePath.Parse(text).Value);

    [Theory]
    [InlineData("", "empty")]
    [InlineData("/a/", "ends with a slash")]
    [InlineData("/a//b", "doubled slash")]
    [InlineData("/a b", "' ' is not allowed")]
    [InlineData("/a\0b", "'?' is not allowed")]
    [InlineData("/ü", "is not allowed")]
    [InlineData("/a/../b", "'.' is not allowed")]
    public void Bad_paths_are_refused_with_the_reason(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => StorePath.Parse(text)).Message);

    [Fact]
    public void Paths_have_a_limit()
    {
        Assert.True(StorePath.TryParse("/" + new string('a', 3071), out _, out _));
        Assert.False(StorePath.TryParse("/" + new string('a', 3072), out _, out _));
        Assert.True(StorePath.TryParse(new string('a', 2048), out _, out _));
        Assert.False(StorePath.TryParse(new string('a', 2049), out _, out _));
    }

    [Fact]
    public void A_path_lies_within_its_ancestors_alone()
    {
        StorePath path = "/local/domain/3";
        Assert.True((path / "name").IsWithin(path));
        Assert.True(path.IsWithin(path));
        Assert.False(((StorePath)"/local/domain/30").IsWithin(path));
        Assert.True(path.IsWithin(StorePath.Root));
        Assert.Equal("/a", (StorePath.Root / "a").Value);
    }

    [Theory]
    [InlineData("n0,r5")]
    [InlineData("b3")]
    [InlineData("r0,w1,n2,b65535")]
    public void Permissions_are_read_as_they_are_written(string text) => Assert.Equal(text, StorePermissions.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("n")]
    [InlineData("x0")]
    [InlineData("n-1")]
    [InlineData("n65536")]
    [InlineData("n0,")]
    public void What_is_no_permission_is_refused(string text) => Assert.Throws<FormatException>(() => StorePermissions.Parse(text));

    [Theory]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("0x1")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("1e3")]
    [InlineData("4294967296")]
    [InlineData("99999999999999999999999999")]
    [InlineData("١")]
    public void A_guests_number_is_digits_within_the_range_or_nothing(string? text) =>
        Assert.False(StoreValue.TryParse(text, 0u, uint.MaxValue, out _));

    [Fact]
    public void A_number_within_the_range_is_read() => Gen.UInt.Sample(n =>
        StoreValue.TryParse(n.ToString(), 0u, uint.MaxValue, out uint read) && read == n
        && (StoreValue.TryParse(n.ToString(), 10u, 1000u, out _) == (n is >= 10 and <= 1000)));

    [Fact]
    public void A_guests_text_is_shown_without_control_characters() =>
        Assert.Equal("a?[31mb", StoreValue.Printable("a\u001b[31mb"));
}
