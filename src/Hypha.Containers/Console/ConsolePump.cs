using Hypha.Xen;

namespace Hypha.Containers.Console;

/// <summary>
/// Moves what a guest writes to its console from the ring into the log, at once and whatever happens to the log: the guest's
/// driver spins while the ring is full, so a console that is not read costs a host CPU.
/// </summary>
/// <param name="wait">Waits for the guest's event; false when there will be none any more.</param>
/// <param name="notify">Tells the guest that there is room.</param>
internal sealed class ConsolePump(ConsoleRing ring, BoundedLog log, Func<ValueTask<bool>> wait, Action notify)
{
    private const int BytesPerTurn = 64 << 10; // then others of this process have their turn

    private readonly byte[] _buffer = new byte[ConsoleRing.OutputSize];

    /// <summary>Bytes that the guest wrote and the disk did not take.</summary>
    public long Lost { get; private set; }

    /// <summary>Runs until the event channel is closed, then takes what the ring still holds.</summary>
    public async Task RunAsync()
    {
        do
        {
            while (Drain())
                await Task.Yield();
        }
        while (await wait().ConfigureAwait(false));
        Drain();
    }

    /// <returns>True when there may be more.</returns>
    private bool Drain()
    {
        int total = 0, count;
        while (total < BytesPerTurn && (count = ring.Read(_buffer)) > 0)
        {
            total += count;
            notify();
            Append(_buffer.AsSpan(0, count));
        }
        return total >= BytesPerTurn;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            log.Append(bytes);
        }
        catch (IOException) // a full disk is no reason to stop reading
        {
            Lost += bytes.Length;
        }
    }
}
