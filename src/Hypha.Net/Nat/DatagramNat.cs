using Hypha.Linux;
using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>What became of a guest's datagrams.</summary>
public struct DatagramCounters
{
    public ulong Opened, Expired;

    /// <summary>Dropped since the guest has as many mappings as it may.</summary>
    public ulong OverLimit;

    /// <summary>Dropped since the host had no descriptor, port or memory.</summary>
    public ulong NoDescriptor;

    /// <summary>From outside, by somebody whom the guest has not spoken to.</summary>
    public ulong Unexpected;

    public ulong ErrorsRelayed;
}

/// <summary>A guest's UDP and echo to the outside: a socket of the host for each of its ports and identifiers.</summary>
internal sealed class DatagramNat(GuestSockets sockets, GuestConfiguration configuration, GuestOutput output, Gate gate, IErrorSender errors, IpProtocol protocol, int limit, int peers)
{
    /// <summary>Bytes of a datagram that an error repeats.</summary>
    public const int Quoted = 512;

    private readonly FlowTable<DatagramFlow> _flows = new();

    internal EventLoop Loop => sockets.Loop;

    internal GuestSockets Sockets => sockets;

    internal GuestOutput Output => output;

    internal Gate Gate => gate;

    internal GuestConfiguration Configuration => configuration;

    /// <summary>What is on its way out; null where datagrams leave one by one.</summary>
    internal DatagramRun? Run { get; } = protocol == IpProtocol.Udp ? new DatagramRun(sockets.Loop, output.Mtu) : null;

    public int Count => _flows.Count;

    /// <summary>How many peers more the flows may remember.</summary>
    internal int PeersLeft { get; set; } = peers;

    public DatagramCounters Counters;

    /// <summary>A datagram of the guest: the payload of UDP, or an echo request from its type on.</summary>
    /// <param name="guestPort">Or the echo identifier.</param>
    /// <param name="port">0 for an echo.</param>
    public void Send(IpAddress guest, ushort guestPort, IpAddress peer, ushort port, ReadOnlySpan<byte> bytes, byte hopLimit, bool whole, long now)
    {
        var key = new FlowKey(guest, guestPort, default, 0);
        if (!_flows.TryFind(key, out DatagramFlow? flow) && (flow = Open(key)) is null)
            return;
        flow.Send(peer, port, bytes, hopLimit, whole, now);
    }

    /// <summary>A port of the guest that the host has a socket of its own for, as long as the guest is there.</summary>
    /// <param name="socket">Bound; becomes this object's.</param>
    public void Publish(in FlowKey key, RawSocket socket)
    {
        if (_flows.TryFind(key, out _))
        {
            socket.Close();
            throw new IOException($"publishing the guest's UDP port {key.GuestPort}: it is published already, and answers can leave by one port alone");
        }
        _flows.Add(new UdpFlow(this, key, socket) { IsPublished = true });
    }

    /// <summary>Whether the guest's port is published, and the peer has called it.</summary>
    public bool IsPublished(IpAddress guest, ushort guestPort, IpAddress peer) =>
        _flows.TryFind(new FlowKey(guest, guestPort, default, 0), out DatagramFlow? flow) && flow.IsPublished && flow.HasCalled(peer);

    /// <summary>A guest's datagram to the gateway: an answer to somebody on the host, who is the gateway to it.</summary>
    /// <returns>False when it is none.</returns>
    public bool TryAnswer(IpAddress guest, ushort guestPort, ushort port, ReadOnlySpan<byte> bytes, long now)
    {
        if (!_flows.TryFind(new FlowKey(guest, guestPort, default, 0), out DatagramFlow? flow) || !flow.TryBehindGateway(port, out IpAddress peer))
            return false;
        flow.Send(peer, port, bytes, 64, whole: false, now);
        return true;
    }

    /// <summary>All mappings, as they were when it was called.</summary>
    public DatagramFlow[] Snapshot() => _flows.Snapshot();

    public void Close()
    {
        foreach (DatagramFlow flow in _flows.Snapshot())
            Remove(flow);
    }

    internal void Remove(DatagramFlow flow)
    {
        _flows.Remove(flow);
        flow.Close();
        Counters.Expired++;
    }

    /// <summary>The host could not even send it.</summary>
    internal void Failed(DatagramFlow flow, IpAddress peer, ushort port, ReadOnlySpan<byte> bytes, Errno error, long now) =>
        Report(flow, peer, port, bytes, new SocketError(error, IsIcmp: false, 0, 0, 0, default), now);

    /// <summary>Tells the guest what became of a datagram of its.</summary>
    internal void Report(DatagramFlow flow, IpAddress peer, ushort port, ReadOnlySpan<byte> bytes, in SocketError error, long now)
    {
        IpProtocol transport = protocol == IpProtocol.Udp ? IpProtocol.Udp : peer.IsV4 ? IpProtocol.Icmp : IpProtocol.Icmp6;
        // The beginning is enough for whoever sent it to know it again.
        Span<byte> packet = stackalloc byte[Ipv6Packet.HeaderSize + UdpDatagram.HeaderSize + Quoted];
        int header = peer.IsV4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize;
        int length = flow.Quote(packet[header..], peer, port, bytes[..Math.Min(bytes.Length, Quoted)]);
        if (peer.IsV4)
            Ipv4Packet.Write(packet, flow.Key.Guest, peer, transport, header + length);
        else
            Ipv6Packet.Write(packet, flow.Key.Guest, peer, transport, length);
        if (errors.Send(packet[..(header + length)], error, now))
            Counters.ErrorsRelayed++;
    }

    private DatagramFlow? Open(in FlowKey key)
    {
        if (_flows.Count >= limit)
        {
            Counters.OverLimit++;
            return null;
        }
        bool v4 = key.Guest.IsV4;
        int kernelProtocol = protocol == IpProtocol.Udp ? 0 : v4 ? (int)IpProtocol.Icmp : (int)IpProtocol.Icmp6;
        RawSocket socket = RawSocket.Open(v4 ? RawSocket.InterNetwork : RawSocket.InterNetworkV6, RawSocket.Datagram, kernelProtocol);
        if (!socket.IsOpen)
        {
            Counters.NoDescriptor++;
            return null;
        }
        try
        {
            DatagramFlow flow = protocol == IpProtocol.Udp ? new UdpFlow(this, key, socket) : new EchoFlow(this, key, socket);
            _flows.Add(flow);
            Counters.Opened++;
            return flow;
        }
        catch (LinuxException)
        {
            Counters.NoDescriptor++;
            socket.Close();
            return null;
        }
    }
}
