using System.Buffers.Binary;

namespace Hypha.Net.Tests.Fuzz;

/// <summary>Makes bytes out of good ones that are nearly as good: what a seed gives once it gives always.</summary>
internal sealed class Mutator(byte[][] corpus)
{
    private const int Longest = 2_000; // bytes

    private static readonly ushort[] s_interesting = [0, 1, 2, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF];

    public byte[] Next(Random random)
    {
        var bytes = new List<byte>(corpus[random.Next(corpus.Length)]);
        for (int left = random.Next(5); left > 0; left--)
            Change(bytes, random);
        if (bytes.Count > Longest)
            bytes.RemoveRange(Longest, bytes.Count - Longest);
        return [.. bytes];
    }

    private void Change(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count + 1);
        bool inside = at < bytes.Count, pair = at + 1 < bytes.Count;
        switch (random.Next(10))
        {
            case 0 or 1 when inside: // a bit
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when inside:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3 when inside:
                bytes[at] = (byte)s_interesting[random.Next(s_interesting.Length)];
                break;
            case 4 when pair: // a field that lengths, counts and offsets are kept in
                Set(bytes, at, s_interesting[random.Next(s_interesting.Length)]);
                break;
            case 5 when pair: // a little more or less than it was
                Set(bytes, at, (ushort)((bytes[at] << 8 | bytes[at + 1]) + random.Next(-9, 10)));
                break;
            case 6: // cut
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7: // a part less
                bytes.RemoveRange(at, random.Next(Math.Min(bytes.Count - at, 16) + 1));
                break;
            case 8: // a part twice, or of random bytes
                byte[] part = random.Next(2) == 0 ? [.. bytes.Skip(at).Take(random.Next(64))] : new byte[random.Next(64)];
                if (part.Length > 0 && part[0] == 0)
                    random.NextBytes(part);
                bytes.InsertRange(at, part);
                break;
            case 9: // the rest of another
                byte[] other = corpus[random.Next(corpus.Length)];
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other.Skip(random.Next(2) == 0 ? at : random.Next(other.Length)));
                break;
        }
    }

    private static void Set(List<byte> bytes, int at, ushort value)
    {
        Span<byte> pair = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(pair, value);
        (bytes[at], bytes[at + 1]) = (pair[0], pair[1]);
    }
}
