using Hypha.Containers.Output;

namespace Hypha.Containers.Agent;

/// <summary>Reads one stream of the guest from where the log ends, until the stream ends.</summary>
public static class OutputPump
{
    public static async Task RunAsync(GuestAgent agent, OutputStream stream, OutputHub hub, CancellationToken cancellation)
    {
        // The guest frees what lies before the offset that is asked for: so a chunk is asked away only once it is in the log.
        long offset = hub.End(stream);
        while (await agent.ReadOutputAsync(stream, offset, cancellation).ConfigureAwait(false) is { } chunk)
        {
            await hub.PublishAsync(chunk, cancellation).ConfigureAwait(false);
            offset = chunk.End;
        }
    }
}
