using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hypha.Linux;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>An address and port as the kernel has them: struct sockaddr_in, sockaddr_in6 (ip(7), ipv6(7)).</summary>
public static class HostAddress
{
    public const int MaximumSize = 28; // bytes

    private const int V4Size = 16, V6Size = 28;

    public static int Family(IpAddress address) => address.IsV4 ? RawSocket.InterNetwork : RawSocket.InterNetworkV6;

    /// <param name="to">At least <see cref="MaximumSize"/>.</param>
    /// <returns>The part that was written.</returns>
    public static ReadOnlySpan<byte> Write(Span<byte> to, IpAddress address, ushort port)
    {
        int size = address.IsV4 ? V4Size : V6Size;
        to = to[..size];
        to.Clear();
        MemoryMarshal.Write(to, (ushort)Family(address));
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], port);
        address.Write(to[(address.IsV4 ? 4 : 8)..]);
        return to;
    }

    /// <returns>False for another family, or too few bytes.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IpAddress address, out ushort port)
    {
        address = default;
        port = 0;
        if (bytes.Length < 8)
            return false;
        ushort family = MemoryMarshal.Read<ushort>(bytes);
        if (family == RawSocket.InterNetwork)
            address = IpAddress.ReadV4(bytes[4..]);
        else if (family == RawSocket.InterNetworkV6 && bytes.Length >= V6Size)
            address = IpAddress.ReadV6(bytes[8..]);
        else
            return false;
        port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return true;
    }
}
