using System.Security.Cryptography;

namespace Hypha.Oci.Compression;

/// <summary>Hashes and counts what is read through it.</summary>
internal class HashingStream(Stream source) : ReadOnlyStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes read so far.</summary>
    internal long Count { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        int read = source.Read(buffer);
        if (read > 0)
        {
            Count += read;
            _hash.AppendData(buffer[..read]);
            Arrived(read);
        }
        return read;
    }

    /// <summary>Reads and drops the rest.</summary>
    internal void Drain()
    {
        byte[] sink = new byte[32 << 10];
        while (Read(sink) > 0)
        {
        }
    }

    internal Sha256Digest Digest => Sha256Digest.FromHash(_hash.GetCurrentHash());

    /// <summary>Called with each piece; may refuse it.</summary>
    protected virtual void Arrived(int count) { }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            source.Dispose();
        }
        base.Dispose(disposing);
    }
}
