using System.Net;
using System.Net.Sockets;
using Hypha.Containers.Life;
using Hypha.Containers.Records;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers.Network;

/// <summary>
/// The networks of this host: the default one, which is always there, and those that were made. One lock from a network's lookup to the lease
/// on it, so that none is removed in between.
/// </summary>
public sealed partial class NetworkSet
{
    private readonly Lock _gate = new();
    private readonly NetworkDirectory _directory;
    private readonly ContainerSet _containers;
    private readonly Func<IReadOnlyCollection<IPNetwork>> _hostRoutes;
    private readonly Dictionary<string, NetworkInfo> _networks = new(StringComparer.Ordinal) { [GuestSubnet.Default.Name] = new NetworkInfo(GuestSubnet.Default, null) };

    /// <param name="hostRoutes">What the host itself reaches: not to be hidden from guests by a subnet that we choose.</param>
    public NetworkSet(string directory, ContainerSet containers, Func<IReadOnlyCollection<IPNetwork>> hostRoutes, ILogger logger)
    {
        _directory = new NetworkDirectory(directory);
        _containers = containers;
        _hostRoutes = hostRoutes;
        foreach (NetworkRecord record in _directory.ReadAll((file, error) => LogUnreadable(logger, file, error.Message)))
            _networks.TryAdd(record.Name, new NetworkInfo(record.ToSubnet(), record.Created));
    }

    /// <summary>The default one first, then by name.</summary>
    public IReadOnlyList<NetworkInfo> All
    {
        get
        {
            lock (_gate)
                return [.. _networks.Values.OrderBy(network => network.Created is not null).ThenBy(network => network.Subnet.Name, StringComparer.Ordinal)];
        }
    }

    /// <exception cref="ContainerException">NotFound.</exception>
    public NetworkInfo Find(string name)
    {
        lock (_gate)
        {
            return _networks.TryGetValue(name, out NetworkInfo? network) ? network
                : throw new ContainerException(ContainerError.NotFound,
                    $"there is no network \"{(name.Length <= 80 ? name : name[..80] + "…")}\". See which there are with: hyphactl network list");
        }
    }

    /// <param name="subnet">Empty: the next free one; likewise <paramref name="subnet6"/>.</param>
    /// <exception cref="ContainerException">InvalidArgument, AlreadyExists, ResourceExhausted.</exception>
    public NetworkInfo Create(string name, string subnet, string subnet6, bool isInternal)
    {
        ContainerName.Check(name, "network");
        if (name is NetworkWishes.None)
            throw new ContainerException(ContainerError.InvalidArgument, $"\"{name}\" says that a container has no network, and cannot be a network's name.");
        lock (_gate)
        {
            if (_networks.ContainsKey(name))
                throw new ContainerException(ContainerError.AlreadyExists, $"there is a network \"{name}\" already.");
            GuestSubnet[] others = [.. _networks.Values.Select(network => network.Subnet)];
            IPNetwork v4 = subnet.Length > 0 ? SubnetChoice.Given(subnet, AddressFamily.InterNetwork, others) : SubnetChoice.NextV4(others, _hostRoutes());
            IPNetwork v6 = subnet6.Length > 0 ? SubnetChoice.Given(subnet6, AddressFamily.InterNetworkV6, others) : SubnetChoice.NextV6(others);
            var record = new NetworkRecord(name, v4.ToString(), v6.ToString(), isInternal, DateTimeOffset.UtcNow);
            _directory.Write(record);
            return _networks[name] = new NetworkInfo(record.ToSubnet(), record.Created);
        }
    }

    /// <exception cref="ContainerException">NotFound; FailedPrecondition while a container has a place on it, or for the default one.</exception>
    public void Remove(string name)
    {
        lock (_gate)
        {
            if (Find(name).Created is null)
                throw new ContainerException(ContainerError.FailedPrecondition, $"the network \"{name}\" is always there.");
            string[] members = [.. _containers.MembersOf(name).Select(member => member.Container?.Record.Shown ?? member.Id.Short)];
            if (members.Length > 0)
            {
                throw new ContainerException(ContainerError.FailedPrecondition,
                    $"{string.Join(", ", members.Take(5))}{(members.Length > 5 ? $" and {members.Length - 5} more have" : members.Length > 1 ? " have" : " has")} a place on it. Destroy {(members.Length > 1 ? "them" : "it")} first; ended containers keep their place.");
            }
            _directory.Remove(name);
            _networks.Remove(name);
        }
    }

    /// <summary>Gives a container its place on the network of its wishes.</summary>
    /// <exception cref="ContainerException">NotFound, InvalidArgument, AlreadyExists, ResourceExhausted.</exception>
    internal NetworkLease Lease(NetworkWishes wishes, ContainerId id)
    {
        lock (_gate)
            return _containers.Lease(Find(wishes.Network.Length > 0 ? wishes.Network : GuestSubnet.Default.Name).Subnet, wishes, id);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{File} is no network's record and is left alone: {Why}")]
    private static partial void LogUnreadable(ILogger logger, string file, string why);
}

/// <summary>One network.</summary>
/// <param name="Created">Null for the default one, which nobody made.</param>
public sealed record NetworkInfo(GuestSubnet Subnet, DateTimeOffset? Created);
