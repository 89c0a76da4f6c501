using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Ip;

/// <summary>What became of a guest's fragments.</summary>
public struct ReassemblyCounters
{
    public ulong Reassembled, TimedOut;

    /// <summary>Datagrams thrown away since parts of them lay over each other (RFC 5722, for IPv4 as well).</summary>
    public ulong Overlapped;

    /// <summary>The oldest of too many, thrown away for the newest.</summary>
    public ulong Evicted;

    /// <summary>Fragments that fit nowhere: lengths, too many, an end that moved.</summary>
    public ulong Malformed;
}

/// <summary>Told of a datagram whose rest did not come.</summary>
/// <param name="beginning">Its first fragment, as a packet.</param>
public delegate void ReassemblyTimedOut(ReadOnlySpan<byte> beginning, long now);

/// <summary>A guest's fragments, put together to whole packets (RFC 791 3.2, RFC 815, RFC 8200 4.5): a fixed number at a time, the oldest goes first.</summary>
public sealed class Reassembly(TimerWheel timers, ReassemblyTimedOut timedOut) : Loop.Timer
{
    public const int Datagrams = 8, Fragments = 64;

    private const long Patience = 30 * MonotonicClock.Second;
    private const int HeaderRoom = 64; // bytes before the payload
    private const int Largest = 65_535;

    private readonly BlockPool _blocks = new(HeaderRoom + Largest + 1, Datagrams, keep: 1);
    private readonly List<Datagram> _datagrams = [];
    private Datagram? _done;

    public ReassemblyCounters Counters;

    /// <summary>Datagrams whose rest is awaited.</summary>
    public int Count => _datagrams.Count;

    /// <param name="packet">A whole IP packet, until the next call.</param>
    /// <returns>Whether the fragment was the last that was missing.</returns>
    public bool TryAdd(scoped in Ipv4Packet fragment, long now, out ReadOnlySpan<byte> packet)
    {
        var key = new Key(fragment.Source, fragment.Destination, fragment.Identification, fragment.Protocol);
        return TryAdd(key, fragment.FragmentOffset, fragment.Payload, fragment.MoreFragments, fragment.TimeToLive, now, out packet);
    }

    /// <inheritdoc cref="TryAdd(in Ipv4Packet, long, out ReadOnlySpan{byte})"/>
    public bool TryAdd(scoped in Ipv6Packet fragment, long now, out ReadOnlySpan<byte> packet)
    {
        packet = default;
        // Nobody sends other headers before the fragment header, nor fragments of fragments: each would be put together inside the other.
        if (fragment.HeadersBeforeFragment.Length != Ipv6Packet.HeaderSize || fragment.Protocol == IpProtocol.Fragment)
        {
            Counters.Malformed++;
            return false;
        }
        // RFC 8200 4.5: the protocol of the first fragment counts; of one with another it is not the same packet, which hurts nobody.
        var key = new Key(fragment.Source, fragment.Destination, fragment.Identification, fragment.Protocol);
        return TryAdd(key, fragment.FragmentOffset, fragment.Payload, fragment.MoreFragments, fragment.HopLimit, now, out packet);
    }

    public void Clear()
    {
        timers.Clear(this);
        Release();
        while (_datagrams.Count > 0)
            Drop(0);
    }

    protected internal override void Expire(long now)
    {
        while (_datagrams.Count > 0 && _datagrams[0].Deadline <= now)
        {
            Counters.TimedOut++;
            Datagram old = _datagrams[0];
            // RFC 792, RFC 4443 3.3: only who has the beginning can say whose it was.
            if (old.Parts is [(0, var end), ..])
                timedOut(Whole(old, end), now);
            Drop(0);
        }
        if (_datagrams.Count > 0)
            timers.Set(this, _datagrams[0].Deadline);
    }

    private bool TryAdd(Key key, int offset, ReadOnlySpan<byte> payload, bool more, byte hopLimit, long now, out ReadOnlySpan<byte> packet)
    {
        Release();
        packet = default;
        int end = offset + payload.Length;
        int room = Largest - (key.Source.IsV4 ? Ipv4Packet.HeaderSize : 0);
        if (payload.IsEmpty || end > room || (more && payload.Length % 8 != 0))
        {
            Counters.Malformed++;
            return false;
        }
        Datagram datagram = Find(key, hopLimit, now);
        if (datagram.Bad)
            return false;
        if (!datagram.Place(offset, end, more, out bool overlaps))
        {
            if (overlaps)
                Counters.Overlapped++;
            else
                Counters.Malformed++;
            // What else comes of it is thrown away with it, until its time is over.
            datagram.Bad = true;
            datagram.Parts.Clear();
            return false;
        }
        payload.CopyTo(datagram.Block.AsSpan(HeaderRoom + offset));
        if (!datagram.IsWhole)
            return false;
        Counters.Reassembled++;
        _datagrams.Remove(datagram);
        _done = datagram;
        packet = Whole(datagram, datagram.End);
        return true;
    }

    private Datagram Find(in Key key, byte hopLimit, long now)
    {
        foreach (Datagram present in _datagrams)
        {
            if (present.Key == key)
                return present;
        }
        if (_datagrams.Count == Datagrams)
        {
            Counters.Evicted++;
            Drop(0);
        }
        var datagram = new Datagram(key, _blocks.Rent()!, hopLimit, now + Patience);
        _datagrams.Add(datagram);
        if (_datagrams.Count == 1)
            timers.Set(this, datagram.Deadline);
        return datagram;
    }

    /// <summary>Writes an IP header before the payload.</summary>
    private static ReadOnlySpan<byte> Whole(Datagram datagram, int length)
    {
        Key key = datagram.Key;
        bool v4 = key.Source.IsV4;
        int header = v4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize;
        Span<byte> packet = datagram.Block.AsSpan(HeaderRoom - header, header + length);
        if (v4)
            Ipv4Packet.Write(packet, key.Source, key.Destination, key.Protocol, packet.Length, datagram.HopLimit, dontFragment: false);
        else
            Ipv6Packet.Write(packet, key.Source, key.Destination, key.Protocol, length, datagram.HopLimit);
        return packet;
    }

    private void Drop(int index)
    {
        _blocks.Return(_datagrams[index].Block);
        _datagrams.RemoveAt(index);
    }

    private void Release()
    {
        if (_done is null)
            return;
        _blocks.Return(_done.Block);
        _done = null;
    }

    private readonly record struct Key(IpAddress Source, IpAddress Destination, uint Identification, IpProtocol Protocol);

    private sealed class Datagram(Key key, byte[] block, byte hopLimit, long deadline)
    {
        public Key Key => key;

        public byte[] Block => block;

        public byte HopLimit => hopLimit;

        public long Deadline => deadline;

        /// <summary>Of the payload; 0 until the last fragment came.</summary>
        public int End;

        public bool Bad;

        /// <summary>What is there, in order, nothing over another.</summary>
        public List<(int Start, int End)> Parts { get; } = [];

        public bool IsWhole => End > 0 && Parts is [(0, var end)] && end == End;

        /// <returns>False when it cannot be a part of this datagram. A duplicate is one, and changes nothing.</returns>
        public bool Place(int start, int end, bool more, out bool overlaps)
        {
            overlaps = false;
            if (more ? End > 0 && end > End : End > 0 && end != End)
                return false;
            if (!more)
            {
                if (Parts is [.., (_, var last)] && last > end)
                    return false;
                End = end;
            }
            int at = 0;
            while (at < Parts.Count && Parts[at].End <= start)
                at++;
            if (at < Parts.Count && Parts[at].Start < end)
            {
                overlaps = true;
                return Parts[at].Start <= start && end <= Parts[at].End && IsDuplicate(start, end);
            }
            bool joinsBefore = at > 0 && Parts[at - 1].End == start, joinsAfter = at < Parts.Count && Parts[at].Start == end;
            if (joinsBefore && joinsAfter)
            {
                Parts[at - 1] = (Parts[at - 1].Start, Parts[at].End);
                Parts.RemoveAt(at);
            }
            else if (joinsBefore)
            {
                Parts[at - 1] = (Parts[at - 1].Start, end);
            }
            else if (joinsAfter)
            {
                Parts[at] = (start, Parts[at].End);
            }
            else if (Parts.Count == Fragments)
            {
                return false;
            }
            else
            {
                Parts.Insert(at, (start, end));
            }
            _fragments.Add((start, end));
            return _fragments.Count <= Fragments;
        }

        private readonly List<(int Start, int End)> _fragments = [];

        private bool IsDuplicate(int start, int end) => _fragments.Contains((start, end));
    }
}
