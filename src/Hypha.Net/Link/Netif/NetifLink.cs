using Hypha.Net.Loop;
using Hypha.Net.Wire;
using Hypha.Xen;

namespace Hypha.Net.Link.Netif;

/// <summary>
/// A guest's vif, served directly: its rings (public/io/netif.h), by event channels and grant copies, without a kernel's back end. The guest never
/// holds memory of ours, and of its own only the rings are mapped. What it writes there is copied once, then checked.
/// </summary>
public sealed partial class NetifLink : ILink, ITurn
{
    private const int Copies = 256;
    private const int LargestFrame = EthernetFrame.HeaderSize + 65_536;
    private const int CopiedBytes = 8 * 65_536; // staged at once, each way

    private readonly EventLoop _loop;
    private readonly IEventPorts _events;
    private readonly NetifQueue[] _queues;
    private readonly IGrantCopier _in, _out;
    private readonly Action<string> _log;
    private readonly DomainId _guest;
    private bool _broken;

    internal NetifLink(EventLoop loop, DomainId guest, NetifQueue[] queues, IEventPorts events, IGrantCopier fromGuest, IGrantCopier toGuest, int mtu, bool segments, Action<string> log)
    {
        (_loop, _guest, _queues, _events, _in, _out, _log) = (loop, guest, queues, events, fromGuest, toGuest, log);
        (Mtu, Segments) = (mtu, segments);
    }

    /// <param name="log">Told when the guest's rings make no sense; nothing is read or written any more then.</param>
    /// <exception cref="XenException">The rings cannot be mapped, or the ports not be bound.</exception>
    public static NetifLink Open(EventLoop loop, NetifPlace place, int mtu, Action<string> log)
    {
        var taken = new Stack<IDisposable>();
        try
        {
            var events = new EventChannelFile();
            taken.Push(events);
            var queues = new NetifQueue[place.Queues.Count];
            for (int i = 0; i < queues.Length; i++)
                taken.Push(queues[i] = NetifQueue.Open(place.Guest, place.Queues[i], events));
            var fromGuest = new GrantCopier(place.Guest, Copies, CopiedBytes);
            taken.Push(fromGuest);
            return new NetifLink(loop, place.Guest, queues, events, fromGuest, new GrantCopier(place.Guest, Copies, CopiedBytes), mtu, place.Segments, log);
        }
        catch
        {
            while (taken.TryPop(out IDisposable? one))
                one.Dispose();
            throw;
        }
    }

    public int Mtu { get; }

    public bool Segments { get; }

    public int FileDescriptor => _events.Number;

    /// <summary>Frames of the guest that were not of netif's form, or whose memory could not be read.</summary>
    public ulong ReceiveFailures { get; private set; }

    /// <summary>Frames that the guest does not take.</summary>
    public ulong SendFailures { get; private set; }

    /// <summary>What was taken has its pages already.</summary>
    public void RoomAgain()
    {
    }

    /// <summary>Makes the copies that the turn has put together.</summary>
    public void Turn(long now)
    {
        _queued = false;
        Flush();
    }

    public void Dispose()
    {
        Flush();
        _broken = true; // a turn may be queued yet
        foreach (NetifQueue queue in _queues)
            queue.Dispose();
        _in.Dispose();
        _out.Dispose();
        _events.Dispose();
    }

    private void Break(string why)
    {
        if (_broken)
            return;
        _broken = true;
        _log($"{_guest}'s network is not served any more: {why}");
    }
}
