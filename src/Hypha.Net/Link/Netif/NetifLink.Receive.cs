using Hypha.Net.Wire;
using Hypha.Xen;

namespace Hypha.Net.Link.Netif;

/// <summary>Frames from the guest.</summary>
public sealed partial class NetifLink
{
    private const int FramesAtOnce = 64;
    private const int MostPieces = 20, MostExtras = 4; // of a frame; Linux' front end sends up to 18

    private readonly Frame[] _frames = new Frame[FramesAtOnce];
    private readonly TransmitResponse[] _transmitted = new TransmitResponse[256];
    private readonly TransmitRequest[] _pieces = new TransmitRequest[MostPieces];
    private int _frameCount, _staged;

    public int Receive(IFrameReceiver receiver, int limit, long now)
    {
        if (_broken)
            return 0;
        int count = 0;
        try
        {
            count = ReceiveAll(receiver, limit, now);
        }
        catch (XenException error)
        {
            Break(error.Message); // the others' links go on
        }
        if (Array.Exists(_queues, queue => queue.IsBroken))
            Break("its ring says that there are more requests than it holds");
        return count;
    }

    private int ReceiveAll(IFrameReceiver receiver, int limit, long now)
    {
        Span<EvtchnPort> ports = stackalloc EvtchnPort[64];
        int events = _events.Read(ports), count = 0;
        if (events > 0)
            _events.Unmask(ports[..events]);
        foreach (NetifQueue queue in _queues)
        {
            while (count < limit && !_broken)
            {
                int taken = ReceiveFrom(queue, receiver, limit - count, now);
                count += taken;
                if (taken == 0 && !queue.Transmit.AskForEvent())
                    break;
            }
        }
        return count;
    }

    /// <summary>Takes frames in one batch: a call for all of their copies.</summary>
    /// <returns>How many, bad ones included.</returns>
    private int ReceiveFrom(NetifQueue queue, IFrameReceiver receiver, int limit, long now)
    {
        _frameCount = _staged = 0;
        _in.Clear();
        int available = queue.Transmit.Available, slots = 0, responses = 0;
        while (_frameCount < Math.Min(limit, FramesAtOnce) && slots < available && _in.Room >= MostPieces && _staged + LargestFrame <= _in.Memory.Length)
        {
            int taken = Gather(queue.Transmit, slots, available - slots, _transmitted.AsSpan(responses));
            if (taken == 0)
                return 0;
            slots += taken;
            responses += taken;
        }
        if (slots == 0)
            return 0;
        _in.Run();
        queue.Transmit.Take(slots);
        int response = 0;
        foreach (ref Frame frame in _frames.AsSpan(0, _frameCount))
        {
            for (int i = 0; i < frame.Copies; i++)
                frame.Good &= _in.Succeeded(frame.FirstCopy + i);
            for (int i = 0; i < frame.Slots; i++, response++)
                queue.Transmit.Respond(frame.Good || _transmitted[response].Status == NetifStatus.Null ? _transmitted[response] : _transmitted[response] with { Status = NetifStatus.Error });
        }
        // The guest goes on while its frames are looked at: they are copies.
        queue.PublishTransmitted();
        ReadOnlySpan<byte> memory = _in.Memory.Span;
        foreach (ref readonly Frame frame in _frames.AsSpan(0, _frameCount))
        {
            ReadOnlySpan<byte> bytes = memory.Slice(frame.At, frame.Length);
            if (frame.Good && FrameOffload.TryFind(bytes, (frame.Flags & TransmitFlags.ChecksumBlank) != 0, (frame.Flags & TransmitFlags.DataValidated) != 0,
                    frame.Segmentation, frame.SegmentSize, out VirtioNetHeader offload))
                receiver.Receive(offload, bytes, now);
            else
                ReceiveFailures++;
        }
        return _frameCount;
    }

    /// <summary>Puts down the copies of one frame, and the answers to its slots.</summary>
    /// <param name="at">Slots ahead of the ring's next.</param>
    /// <returns>How many slots it has; 0 when it does not end, which breaks the link.</returns>
    private int Gather(BackRing ring, int at, int available, Span<TransmitResponse> responses)
    {
        ref Frame frame = ref _frames[_frameCount];
        var first = ring.Peek<TransmitRequest>(at);
        frame = new Frame { At = _staged, FirstCopy = _in.Count, Flags = first.Flags, Length = first.Size, Good = first.Size >= EthernetFrame.HeaderSize };
        responses[0] = new TransmitResponse(first.Id, NetifStatus.Okay);
        int slots = 1;
        bool more = (first.Flags & TransmitFlags.ExtraInfo) != 0;
        while (more)
        {
            if (slots == available || slots > MostExtras)
                return Endless();
            var extra = ring.Peek<ExtraInfo>(at + slots);
            responses[slots++] = new TransmitResponse(0, NetifStatus.Null);
            more = (extra.Flags & ExtraInfo.MoreFlag) != 0;
            frame.Good &= TakeExtra(extra, ref frame);
        }
        int pieces = 1, rest = first.Size;
        more = (first.Flags & TransmitFlags.MoreData) != 0;
        while (more)
        {
            if (slots == available || pieces == MostPieces)
                return Endless();
            var piece = ring.Peek<TransmitRequest>(at + slots);
            responses[slots++] = new TransmitResponse(piece.Id, NetifStatus.Okay);
            more = (piece.Flags & TransmitFlags.MoreData) != 0;
            _pieces[pieces++] = piece;
            rest -= piece.Size;
        }
        // Of the first its size is the whole frame's.
        frame.Good &= rest >= 0;
        _pieces[0] = first with { Size = (ushort)Math.Max(rest, 0) };
        foreach (ref readonly TransmitRequest piece in _pieces.AsSpan(0, pieces))
            frame.Good &= piece.Offset + piece.Size <= Page.Size;
        frame.Slots = slots;
        _frameCount++;
        if (!frame.Good)
            return slots;
        foreach (ref readonly TransmitRequest piece in _pieces.AsSpan(0, pieces))
        {
            if (piece.Size == 0)
                continue;
            _in.AddRead(new GrantRef(piece.Grant), piece.Offset, _staged, piece.Size);
            _staged += piece.Size;
        }
        frame.Copies = _in.Count - frame.FirstCopy;
        return slots;
    }

    private static bool TakeExtra(in ExtraInfo extra, ref Frame frame)
    {
        if (extra.Type != ExtraInfo.Segmentation)
            return extra.Type is > 0 and <= ExtraInfo.LastType; // others were not offered: of no meaning here
        frame.Segmentation = extra.SegmentType switch { ExtraInfo.TcpV4 => Segmentation.TcpV4, ExtraInfo.TcpV6 => Segmentation.TcpV6, _ => Segmentation.None };
        frame.SegmentSize = extra.SegmentSize;
        return frame.Segmentation != Segmentation.None && extra.SegmentSize > 0;
    }

    private int Endless()
    {
        Break("a frame in its ring does not end");
        return 0;
    }

    private struct Frame
    {
        public int At, Length, Slots, FirstCopy, Copies;
        public TransmitFlags Flags;
        public Segmentation Segmentation;
        public ushort SegmentSize;
        public bool Good;
    }
}
