using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Hypha.Oci;

/// <summary>A content's name: "sha256:" and 64 lower-case hexadecimal digits (OCI image-spec, descriptor.md, "Digests").</summary>
/// <remarks>The one algorithm that registries use. Others are refused where they are read, never skipped.</remarks>
public readonly record struct Sha256Digest
{
    private const string Prefix = "sha256:";
    private readonly string? _hex;

    private Sha256Digest(string hex) => _hex = hex;

    /// <summary>The 64 digits without the algorithm. Safe as a file name.</summary>
    public string Hex => _hex ?? new string('0', 64);

    public static Sha256Digest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    public static Sha256Digest FromHash(ReadOnlySpan<byte> hash) => hash.Length == SHA256.HashSizeInBytes
        ? new Sha256Digest(Convert.ToHexStringLower(hash))
        : throw new ArgumentException("a SHA-256 hash has 32 bytes", nameof(hash));

    public static bool TryParse([NotNullWhen(true)] string? text, out Sha256Digest digest)
    {
        digest = default;
        if (text is null || text.Length != Prefix.Length + 64 || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        foreach (char c in text.AsSpan(Prefix.Length))
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f')))
                return false;
        }
        digest = new Sha256Digest(text[Prefix.Length..]);
        return true;
    }

    /// <exception cref="ImageException">The text is not a digest; <paramref name="what"/> says where it stood.</exception>
    public static Sha256Digest Parse(string? text, string what) => TryParse(text, out Sha256Digest digest)
        ? digest
        : throw new ImageException($"{what}: {Printable.Quote(text ?? "")} is not a sha256 digest");

    public override string ToString() => Prefix + Hex;
}
