using Hypha.Linux;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>The host's end of a PV guest's console (public/io/console.h, xencons_interface): one page with two rings.</summary>
/// <remarks>
/// It takes over where an earlier process stopped, as the indices are in the page. A guest whose indices make no sense loses what
/// is in the ring, nothing else. After reading and after writing, the caller notifies the guest through the console's event channel.
/// The guest's driver spins while the ring is full: whoever serves a console must keep reading.
/// </remarks>
public sealed class ConsoleRing
{
    public const int InputSize = 1024;
    public const int OutputSize = 2048;

    private readonly SharedRing _input;
    private readonly SharedRing _output;

    /// <summary>Uses <paramref name="page"/>, which the caller keeps mapped, and unmaps when the console is done with.</summary>
    public ConsoleRing(MemoryMapping page)
    {
        _input = SharedRing.Producer(new RingLayout(page, xencons_interface.in_cons, xencons_interface.in_prod, page, xencons_interface.@in, InputSize));
        _output = SharedRing.Consumer(new RingLayout(page, xencons_interface.out_cons, xencons_interface.out_prod, page, xencons_interface.@out, OutputSize));
    }

    /// <summary>Takes what the guest has written.</summary>
    /// <returns>How many bytes; 0 when there are none.</returns>
    public int Read(Span<byte> to)
    {
        int count = _output.Read(to);
        if (_output.IsBroken)
            _output.Reset();
        return count;
    }

    /// <summary>Puts input where the guest finds it, as much as there is room for.</summary>
    /// <returns>How many bytes.</returns>
    public int Write(ReadOnlySpan<byte> from)
    {
        int count = _input.Write(from);
        if (_input.IsBroken)
            _input.Reset();
        return count;
    }
}
