using Hypha.Xen;

namespace Hypha.Lab.Probe;

/// <summary>
/// Takes what a guest prints out of its console ring (xen/include/public/io/console.h, xencons_interface) by looking again and
/// again: enough for a probe, and it needs no event channel.
/// </summary>
internal sealed class ConsoleOutput(ForeignMemory page) : IDisposable
{
    private const int Out = 1024, OutSize = 2048, OutCons = 3080, OutProd = 3084;

    /// <returns>How many bytes there were.</returns>
    public unsafe int Read(Span<byte> buffer)
    {
        Span<byte> ring = page.Span;
        fixed (byte* start = ring)
        {
            uint cons = *(uint*)(start + OutCons), prod = Volatile.Read(ref *(uint*)(start + OutProd));
            uint count = Math.Min(Math.Min(prod - cons, OutSize), (uint)buffer.Length);
            for (uint i = 0; i < count; i++)
                buffer[(int)i] = ring[Out + (int)((cons + i) % OutSize)];
            Volatile.Write(ref *(uint*)(start + OutCons), cons + count);
            return (int)count;
        }
    }

    public void Dispose() => page.Dispose();
}
