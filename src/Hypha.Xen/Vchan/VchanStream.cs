using Hypha.Linux;
using System.Runtime.CompilerServices;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>
/// A two-way stream of bytes through memory shared with another domain (vchan, public/io/libxenvchan.h). One reader and one writer
/// at a time; both wait for events and never poll.
/// </summary>
/// <remarks>
/// Reading ends (0 bytes) when the other side has gone and everything it wrote has been taken. Writing then is an
/// <see cref="IOException"/>, as is a peer whose indices make no sense. The death of the whole other domain sends no event:
/// whoever sees it disposes the stream, which ends all waits.
/// </remarks>
public sealed class VchanStream : Stream
{
    private readonly MemoryMapping _control;
    private readonly SharedRing _incoming;
    private readonly SharedRing _outgoing;
    private readonly IEventPort _port;
    private readonly Action _release;
    private readonly Pulse _readable = new();
    private readonly Pulse _writable = new();
    private readonly int _ownLive, _peerLive, _informs, _isInformed;
    private int _disposed;

    /// <summary>Takes over the port, and what <paramref name="release"/> unmaps.</summary>
    internal VchanStream(MemoryMapping control, SharedRing incoming, SharedRing outgoing, bool isServer, IEventPort port, Action release)
    {
        _control = control;
        _incoming = incoming;
        _outgoing = outgoing;
        _port = port;
        _release = release;
        (_ownLive, _peerLive, _informs, _isInformed) = isServer
            ? (vchan_interface.srv_live, vchan_interface.cli_live, vchan_interface.srv_notify, vchan_interface.cli_notify)
            : (vchan_interface.cli_live, vchan_interface.srv_live, vchan_interface.cli_notify, vchan_interface.srv_notify);
        port.OnEvent(() =>
        {
            _readable.Set();
            _writable.Set();
        });
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        if (buffer.IsEmpty)
            return 0;
        while (true)
        {
            // The peer's life is read before the ring: what it wrote before it went is then seen below.
            bool gone = PeerIsGone();
            int count = _incoming.Read(buffer.Span);
            if (count > 0)
            {
                Inform(VchanProtocol.NotifyRead);
                return count;
            }

            ThrowIfBroken(_incoming);
            if (gone)
                return 0;
            Request(VchanProtocol.NotifyWrite);
            if (_incoming.Available > 0 || _incoming.IsBroken || PeerIsGone())
                continue;
            _port.Arm();
            if (!await _readable.WaitAsync(cancellationToken).ConfigureAwait(false))
                return 0; // disposed
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        while (!buffer.IsEmpty)
        {
            if (PeerIsGone())
                throw new XenException("writing to a vchan", Errno.EPIPE);
            int count = _outgoing.Write(buffer.Span);
            if (count > 0)
            {
                buffer = buffer[count..];
                Inform(VchanProtocol.NotifyWrite);
                continue;
            }

            ThrowIfBroken(_outgoing);
            Request(VchanProtocol.NotifyRead);
            if (_outgoing.Available > 0 || _outgoing.IsBroken || PeerIsGone())
                continue;
            _port.Arm();
            if (!await _writable.WaitAsync(cancellationToken).ConfigureAwait(false))
                throw new ObjectDisposedException(nameof(VchanStream));
        }
    }

    private bool PeerIsGone()
    {
        using var control = new SharedRing.Access(_control);
        return Volatile.Read(ref control.At<byte>(_peerLive)) == VchanProtocol.Gone;
    }

    /// <summary>Sends an event if the peer asked for one after this kind of action, once for each time it asked.</summary>
    private void Inform(byte action)
    {
        if ((Change(_informs, action, set: false) & action) == 0)
            return;
        try
        {
            _port.Notify();
        }
        catch (XenException)
        {
            // The other end of the channel is closed. Its live byte says so, too, and that decides.
        }
    }

    /// <summary>Asks the peer for an event after its next such action. The caller must look at the ring again before it waits.</summary>
    private void Request(byte action) => Change(_isInformed, action, set: true);

    // Atomic, and a full barrier: an index published before is seen before the flag, and read after is read after it.
    private byte Change(int offset, byte bit, bool set)
    {
        using var control = new SharedRing.Access(_control);
        ref byte flags = ref control.At<byte>(offset);
        while (true)
        {
            byte before = Volatile.Read(ref flags);
            byte after = (byte)(set ? before | bit : before & ~bit);
            if (Interlocked.CompareExchange(ref flags, after, before) == before)
                return before;
        }
    }

    private void ThrowIfBroken(SharedRing ring)
    {
        if (ring.IsBroken)
            throw new XenException("a vchan's other end says that the ring holds more than it can: the connection is given up");
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed != 0, this);

    protected override void Dispose(bool disposing)
    {
        if (!disposing || Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        using (var control = new SharedRing.Access(_control))
            Volatile.Write(ref control.At<byte>(_ownLive), VchanProtocol.Gone);
        try
        {
            _port.Notify();
        }
        catch (Exception e) when (e is XenException or ObjectDisposedException)
        {
            // Nobody is left to be told.
        }

        _readable.Close();
        _writable.Close();
        _release();
        _port.Dispose();
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // What is written is in the ring at once.
    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
