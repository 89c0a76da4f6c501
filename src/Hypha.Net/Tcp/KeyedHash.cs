using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Hashes of flows under a secret of this process, so that nobody can choose flows that fall into one place or guess a sequence number.</summary>
public static class KeyedHash
{
    private static readonly byte[] s_secret = RandomNumberGenerator.GetBytes(32);
    private static readonly ulong s_first = MemoryMarshal.Read<ulong>(RandomNumberGenerator.GetBytes(8)) | 1;
    private static readonly ulong s_second = MemoryMarshal.Read<ulong>(RandomNumberGenerator.GetBytes(8)) | 1;

    /// <summary>For tables: fast (folded multiplications with secret factors).</summary>
    public static uint OfTable(in FlowKey key)
    {
        ulong ports = (ulong)key.GuestPort << 16 | key.RemotePort;
        ulong hash = Fold(key.Guest.High ^ s_first, key.Guest.Low ^ s_second);
        hash = Fold(hash ^ key.Remote.High, key.Remote.Low ^ s_first);
        hash = Fold(hash ^ ports, s_second);
        return (uint)(hash ^ hash >> 32);
    }

    /// <summary>The same of an address.</summary>
    public static uint OfTable(IpAddress address)
    {
        ulong hash = Fold(address.High ^ s_first, address.Low ^ s_second);
        return (uint)(hash ^ hash >> 32);
    }

    /// <summary>For what a guest sees: 64 bits that tell nothing of the secret (HMAC-SHA-256, cut).</summary>
    public static ulong OfSecret(in FlowKey key)
    {
        Span<byte> message = stackalloc byte[36];
        MemoryMarshal.Write(message, key.Guest);
        MemoryMarshal.Write(message[16..], key.Remote);
        MemoryMarshal.Write(message[32..], key.GuestPort);
        MemoryMarshal.Write(message[34..], key.RemotePort);
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(s_secret, message, hash);
        return MemoryMarshal.Read<ulong>(hash);
    }

    private static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
