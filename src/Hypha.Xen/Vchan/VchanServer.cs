using Hypha.Linux;
using System.Buffers.Binary;
using System.Numerics;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>
/// The end of a vchan that owns the memory: it grants its pages to the client's domain. How the client learns
/// <see cref="RingRef"/> and <see cref="Port"/> is the caller's business.
/// </summary>
/// <remarks>One client, once: when it has gone, a new server is made.</remarks>
public sealed class VchanServer : IDisposable
{
    private VchanServer(GrantRef ringRef, EvtchnPort port, VchanStream stream)
    {
        RingRef = ringRef;
        Port = port;
        Stream = stream;
    }

    /// <summary>The grant of the first page.</summary>
    public GrantRef RingRef { get; }

    /// <summary>The port to which the client binds.</summary>
    public EvtchnPort Port { get; }

    /// <summary>Can be written to before the client is there. Disposing it or the server is the same.</summary>
    public VchanStream Stream { get; }

    /// <summary>Makes a server; the sizes are rounded up to powers of two, at least a page.</summary>
    /// <exception cref="XenException">ENOSPC beyond the kernel's limit of pages granted by processes (gntalloc's <c>limit</c>).</exception>
    public static VchanServer Create(EventChannels channels, DomainId client, int toClientBytes = 128 * 1024, int toServerBytes = 128 * 1024)
    {
        int left = OrderOf(toServerBytes), right = OrderOf(toClientBytes);
        GrantShare share = GrantShare.Allocate(client, 1 + VchanProtocol.PagesOf(left) + VchanProtocol.PagesOf(right));
        EventChannel? port = null;
        try
        {
            port = channels.BindUnbound(client);
            share.NotifyOnUnmap(vchan_interface.srv_live, port.Port);
            VchanStream stream = Lay(share.Memory, share.Grants[1..], left, right, port, share.Dispose);
            return new VchanServer(share.Grants[0], port.Port, stream);
        }
        catch
        {
            port?.Dispose();
            share.Dispose();
            throw;
        }
    }

    private static int OrderOf(int bytes)
    {
        int order = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, Page.Size)));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, VchanProtocol.LargestOrder);
        return order;
    }

    /// <summary>Fills the first page and makes the stream; the rings follow it in the same memory, left before right.</summary>
    internal static VchanStream Lay(MemoryMapping memory, ReadOnlySpan<GrantRef> ringGrants, int left, int right, IEventPort port, Action release)
    {
        Span<byte> control = memory.Span[..Page.Size];
        BinaryPrimitives.WriteUInt16LittleEndian(control[vchan_interface.left_order..], (ushort)left);
        BinaryPrimitives.WriteUInt16LittleEndian(control[vchan_interface.right_order..], (ushort)right);
        for (int i = 0; i < ringGrants.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(control[(vchan_interface.grants + (i * sizeof(uint)))..], ringGrants[i].Value);
        control[vchan_interface.cli_live] = VchanProtocol.NotYetConnected;
        control[vchan_interface.cli_notify] = VchanProtocol.NotifyWrite;
        control[vchan_interface.srv_notify] = VchanProtocol.NotifyWrite;
        Volatile.Write(ref control[vchan_interface.srv_live], VchanProtocol.Connected);
        int leftSize = 1 << left;
        return new VchanStream(
            memory,
            SharedRing.Consumer(new RingLayout(memory, vchan_interface.left__cons, vchan_interface.left__prod, memory, Page.Size, leftSize)),
            SharedRing.Producer(new RingLayout(memory, vchan_interface.right__cons, vchan_interface.right__prod, memory, Page.Size + leftSize, 1 << right)),
            isServer: true, port, release);
    }

    public void Dispose() => Stream.Dispose();
}
