using Hypha.Linux;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>
/// The back end's side of a ring of requests and responses in a page that a front end granted (public/io/ring.h). A response takes the place of the
/// request that was in its slot, so that requests are copied out before. The front end is not trusted: its index is checked at each look.
/// </summary>
/// <remarks>One user at a time. All entries that are read were published by an index read with acquire, all that are written are before ours is.</remarks>
public sealed class BackRing
{
    // struct xx_sring
    private const int RequestProducer = 0, RequestEvent = 4, ResponseProducer = 8, ResponseEvent = 12, Entries = 64;

    private readonly MemoryMapping _memory;
    private readonly int _page, _entry;
    private uint _requests; // consumed so far
    private uint _responses, _published; // written so far; and seen by the other end

    /// <param name="memory">Stays mapped as long as this is used.</param>
    /// <param name="page">Which of its pages holds the ring.</param>
    /// <param name="entrySize">Bytes: the larger of a request and a response.</param>
    /// <remarks>Begins after the last response: what an earlier back end took and did not answer is taken again.</remarks>
    public BackRing(MemoryMapping memory, int page, int entrySize)
    {
        _memory = memory;
        _page = page << Page.Shift;
        _entry = entrySize;
        Size = (int)(BitOperations.RoundUpToPowerOf2((uint)((Page.Size - Entries) / entrySize) + 1) >> 1); // __RING_SIZE
        _requests = _responses = _published = Volatile.Read(ref Index(ResponseProducer));
    }

    /// <summary>How many entries it has.</summary>
    public int Size { get; }

    /// <summary>The front end claims more requests than the ring holds: nothing in it means anything any more.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>How many requests have come and were not taken.</summary>
    public int Available
    {
        get
        {
            uint count = Volatile.Read(ref Index(RequestProducer)) - _requests;
            // A slot is the front end's again once it was answered: what is taken and not answered counts as well.
            if (count > (uint)Size - (_requests - _responses))
                IsBroken = true;
            return IsBroken ? 0 : (int)count;
        }
    }

    /// <summary>Copies a request that is <see cref="Available"/>, without taking it.</summary>
    /// <param name="ahead">0 is the next one.</param>
    public T Peek<T>(int ahead) where T : unmanaged => MemoryMarshal.Read<T>(Slot(_requests + (uint)ahead));

    /// <summary>Takes requests that were looked at.</summary>
    public void Take(int count) => _requests += (uint)count;

    /// <summary>Writes the next response, to one of the requests that were taken; not seen before <see cref="Publish"/>.</summary>
    public void Respond<T>(in T response) where T : unmanaged
    {
        if (_responses == _requests)
            throw new InvalidOperationException("a response without a request");
        MemoryMarshal.Write(Slot(_responses++), response);
    }

    /// <summary>Shows the responses.</summary>
    /// <returns>Whether the front end wants an event for them.</returns>
    public bool Publish()
    {
        uint before = _published;
        _published = _responses;
        Volatile.Write(ref Index(ResponseProducer), _published);
        // It may look at the index and then ask for an event while this asks whether it did.
        Interlocked.MemoryBarrier();
        return _published - Volatile.Read(ref Index(ResponseEvent)) < _published - before;
    }

    /// <summary>Asks for an event once there are <paramref name="more"/> requests than there are now.</summary>
    /// <returns>Whether there are by now: then nothing will tell.</returns>
    public bool AskForEvent(int more = 1)
    {
        uint wanted = _requests + (uint)more;
        Volatile.Write(ref Index(RequestEvent), wanted);
        Interlocked.MemoryBarrier();
        return Available >= more;
    }

    private Span<byte> Slot(uint index) => _memory.Span.Slice(_page + Entries + ((int)(index & (uint)(Size - 1)) * _entry), _entry);

    private ref uint Index(int offset) => ref Unsafe.As<byte, uint>(ref _memory.Span[_page + offset]);
}
