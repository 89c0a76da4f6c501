namespace Hypha.DomainBuilder.Kernel;

/// <summary>
/// Random access to a kernel's bytes. From a file they are read straight to where they are wanted, so that a daemon
/// that launches often holds no kernel in its own memory.
/// </summary>
internal abstract class KernelBytes : IDisposable
{
    public abstract long Length { get; }

    /// <summary>Fills <paramref name="target"/> from <paramref name="offset"/>; the range must lie inside.</summary>
    /// <exception cref="KernelImageException">The file became shorter meanwhile.</exception>
    public abstract void Read(long offset, Span<byte> target);

    public abstract void Dispose();

    public static KernelBytes Of(ReadOnlyMemory<byte> bytes) => new InMemory(bytes);

    /// <summary>Takes over the handle.</summary>
    public static KernelBytes Of(Microsoft.Win32.SafeHandles.SafeFileHandle file) => new InFile(file);

    private sealed class InMemory(ReadOnlyMemory<byte> bytes) : KernelBytes
    {
        public override long Length => bytes.Length;

        public override void Read(long offset, Span<byte> target) => bytes.Span.Slice((int)offset, target.Length).CopyTo(target);

        public override void Dispose() { }
    }

    private sealed class InFile(Microsoft.Win32.SafeHandles.SafeFileHandle file) : KernelBytes
    {
        public override long Length { get; } = RandomAccess.GetLength(file);

        public override void Read(long offset, Span<byte> target)
        {
            while (!target.IsEmpty)
            {
                int n = RandomAccess.Read(file, target, offset);
                if (n == 0)
                    throw new KernelImageException("the kernel file became shorter while it was read");
                target = target[n..];
                offset += n;
            }
        }

        public override void Dispose() => file.Dispose();
    }
}
