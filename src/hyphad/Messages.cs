using System.Text.Json;
using Grpc.Core;
using Hypha.Containers;
using Hypha.Host;
using Hypha.Containers.Launch;
using Hypha.Containers.Network;
using Hypha.Net.Policy;
using Hypha.Containers.Records;
using Hypha.Oci;
using Hypha.Protocol.Control;
using Container = Hypha.Containers.Life.Container;
using State = Hypha.Containers.Records.ContainerState;

namespace Hypha.Daemon;

/// <summary>Between the control API's messages and the engine's types, both ways.</summary>
internal static class Messages
{
    public static LaunchOptions ToOptions(LaunchRequest request) => new()
    {
        Image = request.Image,
        Id = ToId(request.Id),
        Command = [.. request.Command],
        Kernel = request.Kernel,
        Initrd = request.Initrd,
        // Zero is "the client did not say"; what is out of range stays so, to be refused.
        VCpus = request.Vcpus == 0 ? LaunchOptions.DefaultVCpus : (int)Math.Min(request.Vcpus, int.MaxValue),
        MemoryMiB = request.MemoryMib == 0 ? LaunchOptions.DefaultMemoryMiB : (long)Math.Min(request.MemoryMib, long.MaxValue),
        Environment = [.. request.Env],
        Name = request.Name,
        Hostname = request.Hostname,
        WorkingDirectory = request.Workdir,
        User = request.User,
        Entrypoint = request.HasEntrypoint ? request.Entrypoint : null,
        Interactive = request.Interactive,
        Terminal = request.Terminal,
        Attach = request.Attach,
        AutoRemove = request.AutoRemove,
        Debug = request.Debug,
        Columns = (int)Math.Min(request.Columns, ushort.MaxValue),
        Rows = (int)Math.Min(request.Rows, ushort.MaxValue),
        Insecure = request.Insecure,
        Term = request.Term,
        Append = request.Append,
        Network = new NetworkWishes
        {
            Network = request.Network,
            Ip = request.Ip,
            Ip6 = request.Ip6,
            Mac = request.Mac,
            Publish = [.. request.Publish],
            Dns = [.. request.Dns],
            AddHost = [.. request.AddHost],
            Policy = CheckedPolicy(request.Policy),
        },
    };

    private static string CheckedPolicy(string rules)
    {
        try
        {
            NetworkPolicy.Parse(rules);
            return rules;
        }
        catch (FormatException error)
        {
            throw new ContainerException(ContainerError.InvalidArgument, $"--policy: {error.Message}", error);
        }
    }

    private static ContainerId ToId(string text) =>
        text.Length == 0 ? ContainerId.New()
        : ContainerId.TryParse(text, out var id) ? id
        : throw new ContainerException(ContainerError.InvalidArgument, "the container's id is no UUID.");

    public static Progress ToProgress(LaunchProgress progress) => new()
    {
        Step = progress.Step,
        Detail = progress.Detail,
        Done = (ulong)Math.Max(progress.Done, 0),
        Total = (ulong)Math.Max(progress.Total, 0),
    };

    public static Launched ToLaunched(LaunchResult result)
    {
        var record = result.Container.Record;
        var launched = new Launched { Id = record.Id.ToString(), Name = record.Name };
        launched.Phases.AddRange(result.Phases.Select(phase => new Phase
        {
            Name = phase.Name,
            Microseconds = (ulong)phase.Duration.TotalMicroseconds,
        }));
        return launched;
    }

    /// <param name="members">Whom the message is to name: all, or none of them.</param>
    public static Network ToNetwork(NetworkInfo network, int size, IEnumerable<NetworkMember> members)
    {
        GuestSubnet subnet = network.Subnet;
        var message = new Network
        {
            Name = subnet.Name,
            Subnet = subnet.V4.ToString(),
            Subnet6 = subnet.V6.ToString(),
            Gateway = subnet.Gateway.ToString(),
            Gateway6 = subnet.Gateway6.ToString(),
            Internal = subnet.Internal,
            CreatedUnixMs = network.Created?.ToUnixTimeMilliseconds() ?? 0,
            Size = (uint)size,
        };
        message.Members.AddRange(members);
        return message;
    }

    public static NetworkMember ToMember((ContainerId Id, NetworkLease Lease, Container? Container) member) => new()
    {
        Id = member.Id.ToString(),
        Name = member.Container?.Record.Name ?? "",
        Address = member.Lease.Ip,
        Address6 = member.Lease.Ip6,
        Mac = member.Lease.Mac,
        State = ToState(member.Container?.Record.State ?? State.Creating),
    };

    public static Protocol.Control.Container ToContainer(Container container)
    {
        var record = container.Record;
        var message = new Protocol.Control.Container
        {
            Id = record.Id.ToString(),
            Name = record.Name,
            Image = record.Image,
            ImageDigest = record.ImageDigest,
            State = ToState(record.State),
            Domain = (uint)record.Domain,
            CreatedUnixMs = record.Created.ToUnixTimeMilliseconds(),
            StartedUnixMs = record.Started?.ToUnixTimeMilliseconds() ?? 0,
            FinishedUnixMs = record.Finished?.ToUnixTimeMilliseconds() ?? 0,
            Exit = record.Exit is null ? null : ToExit(record.Exit),
            Vcpus = (uint)record.VCpus,
            MemoryMib = (ulong)record.MemoryMiB,
        };
        message.Command.AddRange(record.Command);
        return message;
    }

    private static Protocol.Control.ContainerState ToState(State state) => state switch
    {
        State.Creating => Protocol.Control.ContainerState.Creating,
        State.Running => Protocol.Control.ContainerState.Running,
        State.Exited => Protocol.Control.ContainerState.Exited,
        State.Failed => Protocol.Control.ContainerState.Failed,
        _ => Protocol.Control.ContainerState.Unspecified,
    };

    public static string ToJson(Container container) =>
        JsonSerializer.Serialize(container.Record, RecordJson.Default.ContainerRecord);

    public static Protocol.Control.ExitStatus ToExit(Containers.Records.ExitStatus exit) =>
        new() { Code = (uint)exit.Code, Signal = (uint)exit.Signal, Message = exit.Message };

    public static Image ToImage(StoredImage stored)
    {
        var image = new Image
        {
            Digest = stored.Digest.ToString(),
            Size = (ulong)stored.Size,
            CreatedUnixMs = stored.Created.ToUnixTimeMilliseconds(),
        };
        image.References.AddRange(stored.References);
        return image;
    }

    public static HostInfoResponse ToHostInfo(HostInfo info, string version) => new()
    {
        XenVersion = info.XenVersion,
        KernelVersion = info.KernelVersion,
        HyphadVersion = version,
        Cpus = (uint)info.Cpus,
        TotalMemoryMib = (ulong)info.TotalMemoryMiB,
        FreeMemoryMib = (ulong)info.FreeMemoryMiB,
        Running = (uint)info.Running,
        Ended = (uint)info.Ended,
        DomctlVersion = info.DomctlVersion,
        SysctlVersion = info.SysctlVersion,
        CommandLine = info.CommandLine,
        DefaultKernel = info.DefaultKernel,
        DefaultInitrd = info.DefaultInitrd,
    };

    public static Check ToCheck(HostCheck check) =>
        new() { Name = check.Name, Ok = check.Ok, Detail = check.Detail, Advice = check.Advice };

    public static StatusCode ToStatus(ContainerError error) => error switch
    {
        ContainerError.InvalidArgument => StatusCode.InvalidArgument,
        ContainerError.NotFound => StatusCode.NotFound,
        ContainerError.AlreadyExists => StatusCode.AlreadyExists,
        ContainerError.FailedPrecondition => StatusCode.FailedPrecondition,
        ContainerError.ResourceExhausted => StatusCode.ResourceExhausted,
        ContainerError.Unavailable => StatusCode.Unavailable,
        ContainerError.DeadlineExceeded => StatusCode.DeadlineExceeded,
        _ => StatusCode.Internal,
    };
}
