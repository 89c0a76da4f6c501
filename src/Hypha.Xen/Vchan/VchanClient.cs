using Hypha.Linux;
using System.Buffers.Binary;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>The end of a vchan that maps the other's memory. Nothing that the server wrote there is trusted.</summary>
public static class VchanClient
{
    /// <summary>Connects to a server by what it published: the grant of its first page and its port.</summary>
    /// <exception cref="XenException">The grant or the port do not exist, or the page is not a vchan's.</exception>
    public static VchanStream Connect(EventChannels channels, DomainId server, GrantRef ringRef, EvtchnPort serverPort)
    {
        GrantMap? control = null, rings = null;
        EventChannel? port = null;
        try
        {
            control = GrantMap.Map(server, [ringRef]);
            VchanHeader header = VchanHeader.Read(control.Memory, server);
            rings = GrantMap.Map(server, header.RingGrants);
            port = channels.BindInterdomain(server, serverPort);
            control.NotifyOnUnmap(vchan_interface.cli_live, port.Port);
            GrantMap first = control, second = rings;
            return Join(control.Memory, rings.Memory, 0, header, port, () =>
            {
                second.Dispose();
                first.Dispose();
            });
        }
        catch
        {
            port?.Dispose();
            rings?.Dispose();
            control?.Dispose();
            throw;
        }
    }

    /// <summary>Makes the stream over memory whose rings start at <paramref name="ringsOffset"/>, left before right, and tells the server.</summary>
    internal static VchanStream Join(MemoryMapping control, MemoryMapping rings, int ringsOffset, VchanHeader header, IEventPort port, Action release)
    {
        int leftSize = 1 << header.LeftOrder;
        var stream = new VchanStream(
            control,
            SharedRing.Consumer(new RingLayout(
                control, vchan_interface.right__cons, vchan_interface.right__prod, rings, ringsOffset + leftSize, 1 << header.RightOrder)),
            SharedRing.Producer(new RingLayout(control, vchan_interface.left__cons, vchan_interface.left__prod, rings, ringsOffset, leftSize)),
            isServer: false, port, release);
        Volatile.Write(ref control.Span[vchan_interface.cli_live], VchanProtocol.Connected);
        port.Notify();
        return stream;
    }
}

/// <summary>What a server wrote into its first page, copied once and checked.</summary>
internal sealed record VchanHeader(int LeftOrder, int RightOrder, GrantRef[] RingGrants)
{
    internal static VchanHeader Read(MemoryMapping control, DomainId server)
    {
        byte[] page = control.Span[..Page.Size].ToArray();
        if (page[vchan_interface.srv_live] != VchanProtocol.Connected)
            throw new XenException($"connecting to a vchan of {server}: its server has gone");
        int left = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(vchan_interface.left_order));
        int right = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(vchan_interface.right_order));
        if (left is < VchanProtocol.SmallestOrder or > VchanProtocol.LargestOrder || right is < VchanProtocol.SmallestOrder or > VchanProtocol.LargestOrder)
            throw new XenException($"connecting to a vchan of {server}: its rings' orders are {left} and {right}, and must be"
                + $" {VchanProtocol.SmallestOrder} to {VchanProtocol.LargestOrder}");
        var grants = new GrantRef[VchanProtocol.PagesOf(left) + VchanProtocol.PagesOf(right)]; // at most 512: they end within the page
        for (int i = 0; i < grants.Length; i++)
            grants[i] = new GrantRef(BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(vchan_interface.grants + (i * sizeof(uint)))));
        return new VchanHeader(left, right, grants);
    }
}
