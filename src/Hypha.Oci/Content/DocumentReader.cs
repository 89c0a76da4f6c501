namespace Hypha.Oci.Content;

/// <summary>Reads a document of unknown length up to a limit.</summary>
internal static class DocumentReader
{
    internal static async Task<byte[]> ReadAsync(Stream stream, int maxBytes, string what, CancellationToken cancellation)
    {
        using var document = new MemoryStream();
        byte[] buffer = new byte[16 << 10];
        for (int read; (read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            if (document.Length + read > maxBytes)
                throw new ImageException($"{what} is larger than {maxBytes} bytes");
            document.Write(buffer, 0, read);
        }
        return document.ToArray();
    }
}
