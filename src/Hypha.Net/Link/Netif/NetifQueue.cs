using Hypha.Linux;
using Hypha.Xen;
using System.Runtime.CompilerServices;

namespace Hypha.Net.Link.Netif;

/// <summary>A pair of a front end's rings, mapped, and the ports that tell of them.</summary>
internal sealed class NetifQueue : IDisposable
{
    private readonly IEventPorts _events;
    private readonly EvtchnPort _transmitPort, _receivePort;
    private readonly IDisposable _pages;
    private readonly ulong[] _responses;
    private readonly int[] _copies; // of a response; negative for one without

    /// <param name="memory">Two pages: the transmit ring's, and the receive ring's.</param>
    /// <param name="pages">Disposed with this.</param>
    /// <param name="transmitPort">Bound already; unbound with this.</param>
    public NetifQueue(MemoryMapping memory, IDisposable pages, IEventPorts events, EvtchnPort transmitPort, EvtchnPort receivePort)
    {
        (_events, _transmitPort, _receivePort, _pages) = (events, transmitPort, receivePort, pages);
        Transmit = new BackRing(memory, 0, TransmitRequest.EntrySize);
        Receive = new BackRing(memory, 1, ReceiveRequest.EntrySize);
        _responses = new ulong[Receive.Size];
        _copies = new int[Receive.Size];
    }

    /// <exception cref="XenException">What the guest names is not granted, or no port for us.</exception>
    public static NetifQueue Open(DomainId guest, in NetifQueuePlace place, EventChannelFile events)
    {
        // One mapping for both: what cannot be mapped cannot be half mapped.
        GrantMap pages = GrantMap.Map(guest, [place.Transmit, place.Receive]);
        EvtchnPort transmitPort = default;
        try
        {
            transmitPort = events.BindInterdomain(guest, place.Transmitted);
            EvtchnPort receivePort = place.Received == place.Transmitted ? transmitPort : events.BindInterdomain(guest, place.Received);
            return new NetifQueue(pages.Memory, pages, events, transmitPort, receivePort);
        }
        catch
        {
            if (transmitPort.IsValid)
                events.Unbind(transmitPort);
            pages.Dispose();
            throw;
        }
    }

    /// <summary>Frames of the guest, and pages for frames to it; named from its side, as netif does.</summary>
    public BackRing Transmit { get; }

    public BackRing Receive { get; }

    public bool IsBroken => Transmit.IsBroken || Receive.IsBroken;

    /// <summary>Responses for the receive ring that wait for their copies.</summary>
    public int Pending { get; private set; }

    public void Add(ReceiveResponse response, int copy) => Add(Unsafe.BitCast<ReceiveResponse, ulong>(response), copy);

    public void Add(ExtraInfo extra) => Add(Unsafe.BitCast<ExtraInfo, ulong>(extra), -1);

    /// <summary>Responds, once the copies were made.</summary>
    public void Complete(IGrantCopier copier)
    {
        if (Pending == 0)
            return;
        for (int i = 0; i < Pending; i++)
        {
            ulong response = _responses[i];
            if (_copies[i] >= 0 && !copier.Succeeded(_copies[i]))
            {
                ReceiveResponse failed = Unsafe.BitCast<ulong, ReceiveResponse>(response) with { Status = (short)NetifStatus.Error };
                response = Unsafe.BitCast<ReceiveResponse, ulong>(failed);
            }
            Receive.Respond(response);
        }
        Pending = 0;
        if (Receive.Publish())
            _events.Notify(_receivePort);
    }

    /// <summary>Shows the guest which of its frames were taken.</summary>
    public void PublishTransmitted()
    {
        if (Transmit.Publish())
            _events.Notify(_transmitPort);
    }

    public void Dispose()
    {
        _events.Unbind(_transmitPort);
        if (_receivePort != _transmitPort)
            _events.Unbind(_receivePort);
        _pages.Dispose();
    }

    private void Add(ulong response, int copy)
    {
        _responses[Pending] = response;
        _copies[Pending++] = copy;
    }
}
