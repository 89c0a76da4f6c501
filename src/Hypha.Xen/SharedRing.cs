using Hypha.Linux;
using System.Runtime.CompilerServices;

namespace Hypha.Xen;

/// <summary>
/// One direction of a ring of bytes that is shared with another domain, seen from either end: it alone owns indices, masks and
/// barriers. The other end is not trusted.
/// </summary>
/// <remarks>
/// The own index is kept in private memory and only ever written to the ring; the other's is read once for each operation. When
/// it says that the ring holds more than it can (XSA-86), the ring is <see cref="IsBroken"/> and moves no more bytes.
/// One reader or one writer at a time. Memory that is unmapped meanwhile is an <see cref="ObjectDisposedException"/>, never an access.
/// </remarks>
public sealed class SharedRing
{
    private readonly RingLayout _layout;
    private readonly bool _produces;
    private uint _own;

    private SharedRing(in RingLayout layout, bool produces)
    {
        layout.Check();
        _layout = layout;
        _produces = produces;
        _own = Load(produces ? layout.ProducerOffset : layout.ConsumerOffset);
    }

    /// <summary>The end that reads, from where the ring's consumer index says.</summary>
    public static SharedRing Consumer(in RingLayout layout) => new(layout, produces: false);

    /// <summary>The end that writes, from where the ring's producer index says.</summary>
    public static SharedRing Producer(in RingLayout layout) => new(layout, produces: true);

    public int Size => _layout.Size;

    /// <summary>The other end's index makes no sense.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>How many bytes can be read or written now; 0 when broken.</summary>
    public int Available
    {
        get
        {
            if (IsBroken)
                return 0;
            uint filled = _produces ? _own - Load(_layout.ConsumerOffset) : Load(_layout.ProducerOffset) - _own;
            if (filled > (uint)Size)
            {
                IsBroken = true;
                return 0;
            }

            return _produces ? Size - (int)filled : (int)filled;
        }
    }

    /// <summary>Takes bytes out of the ring.</summary>
    /// <returns>How many; 0 when there are none, or the ring is broken.</returns>
    public int Read(Span<byte> to)
    {
        int count = Math.Min(Available, to.Length);
        if (count == 0)
            return 0;
        using (var data = new Access(_layout.Data))
        {
            Span<byte> ring = data.Span.Slice(_layout.DataOffset, Size);
            int start = (int)(_own & (uint)(Size - 1));
            int first = Math.Min(count, Size - start);
            ring.Slice(start, first).CopyTo(to);
            ring[..(count - first)].CopyTo(to[first..]);
        }

        Publish(_layout.ConsumerOffset, count);
        return count;
    }

    /// <summary>Puts bytes into the ring, as many as there is room for.</summary>
    /// <returns>How many; 0 when there is no room, or the ring is broken.</returns>
    public int Write(ReadOnlySpan<byte> from)
    {
        int count = Math.Min(Available, from.Length);
        if (count == 0)
            return 0;
        using (var data = new Access(_layout.Data))
        {
            Span<byte> ring = data.Span.Slice(_layout.DataOffset, Size);
            int start = (int)(_own & (uint)(Size - 1));
            int first = Math.Min(count, Size - start);
            from[..first].CopyTo(ring[start..]);
            from[first..count].CopyTo(ring);
        }

        Publish(_layout.ProducerOffset, count);
        return count;
    }

    /// <summary>Forgets what the ring holds: it is empty, and whole again if it was broken. For rings whose other end may start anew.</summary>
    public void Reset()
    {
        _own = Load(_produces ? _layout.ConsumerOffset : _layout.ProducerOffset);
        Publish(_produces ? _layout.ProducerOffset : _layout.ConsumerOffset, 0);
        IsBroken = false;
    }

    // The bytes must have been copied before the other end sees the index: Volatile.Write is a release.
    private void Publish(int offset, int count)
    {
        _own += (uint)count;
        using var indices = new Access(_layout.Indices);
        Volatile.Write(ref indices.At<uint>(offset), _own);
    }

    // The index must have been read before the bytes are: Volatile.Read is an acquire.
    private uint Load(int offset)
    {
        using var indices = new Access(_layout.Indices);
        return Volatile.Read(ref indices.At<uint>(offset));
    }

    /// <summary>Keeps memory mapped while it is looked at, though another thread disposes it.</summary>
    internal readonly ref struct Access : IDisposable
    {
        private readonly MemoryMapping _memory;

        internal Access(MemoryMapping memory)
        {
            bool added = false;
            memory.DangerousAddRef(ref added);
            _memory = memory;
        }

        internal Span<byte> Span => _memory.Span;

        internal ref T At<T>(int offset) where T : unmanaged => ref Unsafe.As<byte, T>(ref _memory.Span[offset]);

        public void Dispose() => _memory.DangerousRelease();
    }
}
