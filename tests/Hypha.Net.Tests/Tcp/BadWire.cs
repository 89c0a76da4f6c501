using Hypha.Net.Link;
using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>How often a frame suffers what, of 1.</summary>
internal readonly record struct Faults(double Lost, double Doubled, double Late, double Spoilt)
{
    public static Faults Of(Random random) => new(random.NextDouble() * 0.03, random.NextDouble() * 0.03, random.NextDouble() * 0.05, random.NextDouble() * 0.01);
}

/// <summary>A link that loses frames, doubles them, lets others overtake them and flips their bits, both ways. No checksum is left out on it.</summary>
internal sealed class BadWire(EventLoop loop, InterfaceLink link, Random random, Faults faults) : Net.Loop.Timer, ILink, IFrameReceiver
{
    private const long Late = 3 * MonotonicClock.Millisecond;

    private readonly Queue<(bool In, byte[] Frame)> _late = new();
    private IFrameReceiver? _receiver;

    public int Mtu => link.Mtu;

    public bool Segments => false;

    public int FileDescriptor => link.FileDescriptor;

    /// <summary>Frames that suffered something.</summary>
    public int Suffered { get; private set; }

    public void RoomAgain() => link.RoomAgain();

    public int Receive(IFrameReceiver receiver, int limit, long now)
    {
        _receiver = receiver;
        return link.Receive(this, limit, now);
    }

    public bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        Pass(inwards: false, [.. headers, .. first, .. second]);
        return true;
    }

    void IFrameReceiver.Receive(in VirtioNetHeader offload, ReadOnlySpan<byte> frame, long now)
    {
        Assert.Equal(Segmentation.None, offload.Segmentation);
        byte[] whole = frame.ToArray();
        if (offload.NeedsChecksum)
        {
            ushort sum = Checksum.Of(frame[offload.ChecksumStart..]);
            int field = offload.ChecksumStart + offload.ChecksumOffset;
            (whole[field], whole[field + 1]) = ((byte)(sum >> 8), (byte)sum);
        }
        Pass(inwards: true, whole);
    }

    protected internal override void Expire(long now)
    {
        while (_late.TryDequeue(out (bool In, byte[] Frame) one))
            Deliver(one.In, one.Frame);
    }

    public void Dispose()
    {
        loop.Timers.Clear(this);
        link.Dispose();
    }

    private void Pass(bool inwards, byte[] frame)
    {
        // Who is where is not what is tried here, and nothing guards ARP against flipped bits.
        bool ip = EthernetFrame.TryParse(frame, out EthernetFrame ethernet) == WireFault.None && (ethernet.Type is EtherType.Ipv4 || (ethernet.Type is EtherType.Ipv6 && ethernet.Payload[6] == (byte)IpProtocol.Tcp));
        double fate = ip ? random.NextDouble() : 1;
        if (fate < faults.Lost + faults.Doubled + faults.Late + faults.Spoilt)
            Suffered++;
        if ((fate -= faults.Lost) < 0)
            return;
        if ((fate -= faults.Doubled) < 0)
        {
            Deliver(inwards, frame);
        }
        else if ((fate -= faults.Late) < 0)
        {
            _late.Enqueue((inwards, frame));
            loop.Timers.Set(this, loop.Now + Late);
            return;
        }
        else if ((fate -= faults.Spoilt) < 0)
        {
            int bit = random.Next(EthernetFrame.HeaderSize * 8, frame.Length * 8);
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Deliver(inwards, frame);
    }

    private void Deliver(bool inwards, byte[] frame)
    {
        if (inwards)
            _receiver!.Receive(default, frame, loop.Now);
        else
            link.TrySend(default, frame);
    }
}
