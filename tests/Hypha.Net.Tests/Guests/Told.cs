using System.Collections.Concurrent;
using Hypha.Net.Guests;
using Hypha.Net.Link.Netif;

namespace Hypha.Net.Tests.Guests;

/// <summary>Says in lines what it is told.</summary>
internal sealed class Told : IGuestReceiver
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly BlockingCollection<string> _lines = [];

    public Task<bool> Appeared(Vif vif, GuestNodes nodes, NetifPlace? place)
    {
        _lines.Add($"{vif.Domain} {nodes.Network} {nodes.Configuration.V4}{(place is null ? "" : " " + string.Join(' ', place.Queues.Select(queue =>
            $"{queue.Transmit.Value}/{queue.Receive.Value}/{queue.Transmitted.Value}/{queue.Received.Value}")) + (place.Segments ? " segments" : ""))}");
        return Task.FromResult(true);
    }

    public Task Gone(Vif vif)
    {
        _lines.Add($"{vif.Domain} gone");
        return Task.CompletedTask;
    }

    public void Failed(Vif vif, string why) => _lines.Add($"{vif.Domain} failed {why}");

    public Task<string> Next() => Task.Run(() => _lines.TryTake(out string? line, s_patience) ? line : "nothing");
}
