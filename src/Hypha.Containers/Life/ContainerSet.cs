using Hypha.Containers.Network;
using Hypha.Containers.Records;

namespace Hypha.Containers.Life;

/// <summary>All containers of this host, and the names that are taken.</summary>
public sealed class ContainerSet
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ContainerId, Container> _containers = [];
    private readonly Dictionary<string, ContainerId> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<ContainerId, NetworkLease> _leases = [];

    public IReadOnlyList<Container> All
    {
        get
        {
            lock (_gate)
                return [.. _containers.Values.OrderBy(container => container.Record.Created)];
        }
    }

    public bool Contains(ContainerId id)
    {
        lock (_gate)
            return _containers.ContainsKey(id);
    }

    /// <exception cref="ContainerException">AlreadyExists.</exception>
    internal void Reserve(string name, ContainerId id)
    {
        if (name.Length == 0)
            return;
        lock (_gate)
        {
            if (_names.TryGetValue(name, out var owner))
            {
                throw new ContainerException(ContainerError.AlreadyExists,
                    $"the name \"{name}\" is taken by container {owner.Short}. Choose another, or remove that one with: hyphactl destroy {name}");
            }
            _names.Add(name, id);
        }
    }

    internal void Free(string name, ContainerId id)
    {
        lock (_gate)
        {
            if (_names.TryGetValue(name, out var owner) && owner == id)
                _names.Remove(name);
        }
    }

    /// <summary>Gives a container its place on a network, until <see cref="Free(ContainerId)"/> or <see cref="Remove"/>.</summary>
    /// <exception cref="ContainerException">AlreadyExists, ResourceExhausted.</exception>
    internal NetworkLease Lease(GuestSubnet subnet, NetworkWishes wishes, ContainerId id)
    {
        lock (_gate)
        {
            NetworkLease lease = subnet.Lease(wishes, _leases.Values, TakenAlong(subnet.Name));
            CheckPorts(lease);
            _leases.Add(id, lease);
            return lease;
        }
    }

    private HashSet<string> TakenAlong(string network) =>
    [
        .. _leases.Values.Where(lease => lease.Network != network).Select(lease => lease.Mac),
        .. _containers.Values.Select(container => container.Record.LeftNetwork?.Mac).OfType<string>(),
    ];

    /// <summary>Who has a place on a network: those that ended, too, and those whose launch is under way, of which nothing else is known.</summary>
    public IReadOnlyList<(ContainerId Id, NetworkLease Lease, Container? Container)> MembersOf(string network)
    {
        lock (_gate)
            return [.. _leases.Where(pair => pair.Value.Network == network).Select(pair => (pair.Key, pair.Value, _containers.GetValueOrDefault(pair.Key)))];
    }

    internal void Free(ContainerId id)
    {
        lock (_gate)
            _leases.Remove(id);
    }

    internal void Add(Container container)
    {
        lock (_gate)
        {
            _containers.Add(container.Record.Id, container);
            if (container.Record.Network is { } lease)
                _leases[container.Record.Id] = lease;
        }
    }

    /// <summary>A port of the host leads to one container. One that has ended holds none.</summary>
    private void CheckPorts(NetworkLease lease)
    {
        foreach (string text in lease.Publish)
        {
            PortMapping.TryParse(text, out PortMapping wanted);
            foreach (var (other, taken) in _leases)
            {
                if (_containers.TryGetValue(other, out var container) && container.Record.Ended)
                    continue;
                foreach (string takenText in taken.Publish)
                {
                    if (PortMapping.TryParse(takenText, out PortMapping mapping) && mapping.Collides(wanted))
                        throw new ContainerException(ContainerError.AlreadyExists,
                            $"-p {text}: the container {container?.Record.Shown ?? other.Short} has published {takenText}. Choose another port of the host.");
                }
            }
        }
    }

    internal void Remove(Container container)
    {
        var record = container.Record;
        lock (_gate)
        {
            _containers.Remove(record.Id);
            _leases.Remove(record.Id);
        }
        Free(record.Name, record.Id);
    }

    /// <summary>Finds a container by its name, its UUID, or a unique prefix of its UUID (with or without dashes).</summary>
    /// <exception cref="ContainerException">NotFound, or InvalidArgument when several begin so.</exception>
    public Container Find(string text)
    {
        lock (_gate)
        {
            if (_names.TryGetValue(text, out var id) && _containers.TryGetValue(id, out var named))
                return named;

            string digits = text.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
            bool hexadecimal = digits.Length is > 0 and <= 32 && digits.All(char.IsAsciiHexDigitLower);
            Container[] matches = hexadecimal
                ? [.. _containers.Values.Where(c => c.Record.Id.Value.ToString("N").StartsWith(digits, StringComparison.Ordinal))]
                : [];
            string shown = text.Length <= 80 ? text : text[..80] + "…";
            return matches.Length switch
            {
                1 => matches[0],
                0 => throw new ContainerException(ContainerError.NotFound,
                    $"there is no container \"{shown}\". See which there are with: hyphactl list -a"),
                _ => throw new ContainerException(ContainerError.InvalidArgument,
                    $"\"{shown}\" is ambiguous: {string.Join(", ", matches.Take(5).Select(c => c.Record.Id.ToString()))}"
                    + (matches.Length > 5 ? $" and {matches.Length - 5} more begin so." : " begin so.") + " Give more digits."),
            };
        }
    }
}
