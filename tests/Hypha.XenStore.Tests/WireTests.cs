using System.Text;
using Hypha.Linux;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore.Tests;

public sealed class WireTests
{
    // What xenstore-write /a/b c sent to a daemon (WRITE, request 0, no transaction, 6 bytes).
    private static readonly byte[] s_write = [0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, .. "/a/b\0c"u8];

    [Fact]
    public void A_write_is_laid_out_as_Xens_own_client_does()
    {
        byte[] payload = Payload.PathAndValue("/a/b", "c"u8);
        var message = new byte[MessageHeader.Size + payload.Length];
        new MessageHeader(MessageType.Write, 0, 0, payload.Length).Write(message);
        payload.CopyTo(message, MessageHeader.Size);
        Assert.Equal(s_write, message);
    }

    [Fact]
    public void A_header_is_read_as_it_was_written()
    {
        var bytes = new byte[MessageHeader.Size];
        var header = new MessageHeader(MessageType.DirectoryPart, 0xFEDCBA98, 7, MessageHeader.MaximumPayload);
        header.Write(bytes);
        Assert.True(MessageHeader.TryParse(bytes, out MessageHeader read));
        Assert.Equal(header, read);
    }

    [Theory]
    [InlineData(4097u)]
    [InlineData(0x80000000u)]
    [InlineData(uint.MaxValue)]
    public void A_length_beyond_the_protocols_is_refused(uint length)
    {
        var bytes = new byte[MessageHeader.Size];
        BitConverter.TryWriteBytes(bytes.AsSpan(12), length);
        Assert.False(MessageHeader.TryParse(bytes, out _));
    }

    [Theory]
    [InlineData("ENOENT\0", Errno.ENOENT)]
    [InlineData("EAGAIN\0", Errno.EAGAIN)]
    [InlineData("E2BIG", Errno.E2BIG)]
    [InlineData("EWHATEVER\0", Errno.EINVAL)]
    [InlineData("", Errno.EINVAL)]
    public void Errors_are_read_by_name(string payload, Errno error) => Assert.Equal(error, ErrorName.Parse(Encoding.ASCII.GetBytes(payload)));

    [Fact]
    public void Strings_are_split_with_and_without_a_last_NUL()
    {
        Assert.Equal(["a", "b"], Payload.Split("a\0b\0"u8));
        Assert.Equal(["a", "b"], Payload.Split("a\0b"u8));
        Assert.Empty(Payload.Split([]));
    }
}
