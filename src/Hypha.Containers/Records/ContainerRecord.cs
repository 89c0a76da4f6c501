using System.Text.Json.Serialization;

namespace Hypha.Containers.Records;

/// <summary>Where a container stands in its life. It moves forward only.</summary>
public enum ContainerState
{
    /// <summary>The launch is under way; a daemon that finds this at its start undoes it.</summary>
    Creating,
    Running,
    Exited,

    /// <summary>The guest died, or never reached its init.</summary>
    Failed,
}

/// <summary>How a container ended.</summary>
/// <param name="Code">As a shell would say it: 0..255, 128+N for signal N, 125..127 as in docker.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
/// <param name="Message">Why, when it was not the container's own doing; else empty.</param>
public sealed record ExitStatus(int Code, int Signal = 0, string Message = "");

/// <summary>What a container is: the content of <c>container.json</c>. Whether it lives, the hypervisor says.</summary>
public sealed record ContainerRecord
{
    public required ContainerId Id { get; init; }
    public string Name { get; init; } = "";
    public required string Image { get; init; }
    public string ImageDigest { get; init; } = "";
    public IReadOnlyList<string> Command { get; init; } = [];
    public string Hostname { get; init; } = "";
    public string WorkingDirectory { get; init; } = "";
    public string User { get; init; } = "";
    public IReadOnlyList<string> Environment { get; init; } = [];
    public bool Terminal { get; init; }
    public bool OpenStdin { get; init; }
    public bool AutoRemove { get; init; }
    public bool Debug { get; init; }
    public int VCpus { get; init; }
    public long MemoryMiB { get; init; }
    public string Kernel { get; init; } = "";
    public string Initrd { get; init; } = "";

    /// <summary>Null without a network.</summary>
    public Network.NetworkLease? Network { get; init; }

    /// <summary>The place that a running container was disconnected from: MAC, ports, servers and rules stay its own for the next. Else null.</summary>
    public Network.NetworkLease? LeftNetwork { get; init; }

    public ContainerState State { get; init; } = ContainerState.Creating;

    /// <summary>Xen's number while there is a domain, else 0.</summary>
    public int Domain { get; init; }

    /// <summary>The guest's console page (a frame number) and the guest's end of its event channel, to take the console up again.</summary>
    public ulong ConsoleFrame { get; init; }
    public uint ConsolePort { get; init; }

    /// <summary>The number of the last channel session asked of the guest.</summary>
    public int ChannelSession { get; init; }

    public DateTimeOffset Created { get; init; }
    public DateTimeOffset? Started { get; init; }
    public DateTimeOffset? Finished { get; init; }
    public ExitStatus? Exit { get; init; }

    [JsonIgnore]
    public bool Ended => State is ContainerState.Exited or ContainerState.Failed;

    /// <summary>By which others on its network find it.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> NetworkNames => [.. new[] { Name, Hostname, Id.Short }.Where(name => name.Length > 0).Distinct()];

    /// <summary>The name if there is one, else the short id: how messages speak of this container.</summary>
    [JsonIgnore]
    public string Shown => Name.Length > 0 ? Name : Id.Short;
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerRecord))]
public sealed partial class RecordJson : JsonSerializerContext;
