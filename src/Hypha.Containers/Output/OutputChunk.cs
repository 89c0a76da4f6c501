namespace Hypha.Containers.Output;

/// <summary>The container's output streams, numbered as in the log and on the guest channel.</summary>
public enum OutputStream : byte
{
    Stdout = 1,
    Stderr = 2,
}

/// <summary>Bytes that the container wrote.</summary>
/// <param name="Offset">Where they begin, counted in bytes from the stream's start.</param>
public readonly record struct OutputChunk(OutputStream Stream, long Offset, ReadOnlyMemory<byte> Data)
{
    public long End => Offset + Data.Length;
}
