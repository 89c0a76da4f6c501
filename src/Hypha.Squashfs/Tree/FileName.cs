using System.Text;

namespace Hypha.Squashfs;

/// <summary>A name in a directory: 1 to 255 bytes without NUL and slash, not "." or "..". Any other bytes may stand in it.</summary>
public readonly struct FileName : IEquatable<FileName>, IComparable<FileName>
{
    public const int MaxLength = 255; // NAME_MAX

    private readonly byte[] _bytes;

    private FileName(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public static bool TryCreate(ReadOnlySpan<byte> bytes, out FileName name)
    {
        bool good = bytes.Length is > 0 and <= MaxLength && !bytes.SequenceEqual("."u8) && !bytes.SequenceEqual(".."u8)
            && bytes.IndexOfAny((byte)0, (byte)'/') < 0;
        name = good ? new FileName(bytes.ToArray()) : default;
        return good;
    }

    /// <exception cref="ArgumentException">The text cannot be a name.</exception>
    public static FileName From(string text) =>
        TryCreate(Encoding.UTF8.GetBytes(text), out FileName name) ? name : throw new ArgumentException("not a file name", nameof(text));

    public bool Equals(FileName other) => Bytes.SequenceEqual(other.Bytes);
    public override bool Equals(object? obj) => obj is FileName other && Equals(other);
    public static bool operator ==(FileName a, FileName b) => a.Equals(b);
    public static bool operator !=(FileName a, FileName b) => !a.Equals(b);

    // System.HashCode is seeded per process, so an image cannot choose names that collide.
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <summary>By byte, the order in which squashfs wants its directories.</summary>
    public int CompareTo(FileName other) => Bytes.SequenceCompareTo(other.Bytes);

    public override string ToString() => Encoding.UTF8.GetString(_bytes ?? []);
}
