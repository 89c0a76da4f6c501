namespace Hypha.Squashfs;

/// <summary>A regular file.</summary>
public sealed class FileInode(FileContent content) : Inode
{
    public FileContent Content { get; } = content;

    // Where the writer's block processor keeps the native inode, once the content was fed to it.
    internal nint Slot;
}

/// <summary>Where a file's bytes come from. They are read once, in order, while the squashfs is written.</summary>
public abstract class FileContent
{
    public static FileContent Empty { get; } = new MemoryContent(default);

    public static FileContent FromBytes(ReadOnlyMemory<byte> bytes) => new MemoryContent(bytes);

    public abstract long Length { get; }

    /// <summary>Fills all of <paramref name="buffer"/> from <paramref name="offset"/>; the caller stays within <see cref="Length"/>.</summary>
    public abstract void Read(long offset, Span<byte> buffer);

    private sealed class MemoryContent(ReadOnlyMemory<byte> bytes) : FileContent
    {
        public override long Length => bytes.Length;
        public override void Read(long offset, Span<byte> buffer) => bytes.Span.Slice((int)offset, buffer.Length).CopyTo(buffer);
    }
}
