using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Capture;

/// <summary>Frames of a guest 10.75.0.2, fd75::2.</summary>
internal static class Frames
{
    public static byte[] Arp() => FromHex("ffffffffffff 02750a4b0002 0806 0001 0800 06 04 0001 02750a4b0002 0a4b0002 000000000000 0a4b0001");

    public static byte[] V4(IpProtocol protocol, string source, string destination, ushort sourcePort, ushort port, int fragmentOffset = 0, int options = 0)
    {
        byte[] frame = new byte[14 + 20 + options + 20];
        FromHex("020048595001 02750a4b0002 0800").CopyTo(frame, 0);
        frame[14] = (byte)(0x45 + options / 4);
        frame[17] = (byte)(40 + options);
        frame[20] = (byte)(fragmentOffset / 8 >> 8);
        frame[21] = (byte)(fragmentOffset / 8);
        frame[23] = (byte)protocol;
        Address(source).Write(frame.AsSpan(26));
        Address(destination).Write(frame.AsSpan(30));
        Ports(frame.AsSpan(34 + options), sourcePort, port);
        return frame;
    }

    /// <param name="extensions">Of eight bytes each, whose first byte is overwritten with what follows.</param>
    public static byte[] V6(IpProtocol protocol, string source, string destination, ushort sourcePort, ushort port, params (IpProtocol Type, byte[] Bytes)[] extensions)
    {
        byte[] frame = new byte[14 + 40 + 8 * extensions.Length + 20];
        FromHex("020048595001 02750a4b0002 86dd 6000000000000040").CopyTo(frame, 0);
        Address(source).Write(frame.AsSpan(22));
        Address(destination).Write(frame.AsSpan(38));
        int next = 20;
        for (int i = 0; i < extensions.Length; i++)
        {
            frame[next] = (byte)extensions[i].Type;
            next = 54 + 8 * i;
            extensions[i].Bytes.CopyTo(frame, next);
        }
        frame[next] = (byte)protocol;
        Ports(frame.AsSpan(54 + 8 * extensions.Length), sourcePort, port);
        return frame;
    }

    public static byte[] FromHex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    private static IpAddress Address(string text) => IpAddress.TryParse(text, out IpAddress address) ? address : throw new FormatException(text);

    private static void Ports(Span<byte> to, ushort source, ushort destination)
    {
        to[0] = (byte)(source >> 8);
        to[1] = (byte)source;
        to[2] = (byte)(destination >> 8);
        to[3] = (byte)destination;
    }
}
