using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Dns;

/// <summary>Whom the host asks for names (resolv.conf(5)), as that changes.</summary>
public sealed class HostResolver(string path = "/etc/resolv.conf")
{
    private const int Most = 3; // MAXNS
    private const long LookEvery = MonotonicClock.Second;

    private IpAddress[] _servers = [];
    private DateTime _written;
    private long _lookedAt = long.MinValue / 2;

    /// <summary>At most three, in their order. Empty when there is none, or no file.</summary>
    public IReadOnlyList<IpAddress> Servers(long now)
    {
        if (now - _lookedAt < LookEvery)
            return _servers;
        _lookedAt = now;
        try
        {
            DateTime written = File.GetLastWriteTimeUtc(path);
            if (written == _written)
                return _servers;
            _written = written;
            _servers = Parse(File.ReadLines(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _servers = [];
        }
        return _servers;
    }

    internal static IpAddress[] Parse(IEnumerable<string> lines)
    {
        var servers = new List<IpAddress>();
        foreach (string line in lines)
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var text, ..] && IpAddress.TryParse(text, out IpAddress server) && servers.Count < Most)
                servers.Add(server);
        }
        return [.. servers];
    }
}
