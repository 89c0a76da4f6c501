using Hypha.Containers.Console;
using Hypha.Containers.Output;
using Hypha.Containers.Records;
using Hypha.Xen;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers.Life;

/// <summary>
/// What a daemon does at its start: holds the records of the daemon before it against the domains that the hypervisor has.
/// Running containers are taken up, half-made ones undone, dead ones recorded as such. A domain whose handle no record
/// knows is somebody else's and stays untouched.
/// </summary>
internal sealed partial class Recovery(HostResources host, ContainerSet containers, ILogger logger)
{
    /// <returns>The containers that live, to be supervised.</returns>
    public async IAsyncEnumerable<(Container Container, XenGuest Guest)> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var domains = host.Xen.ListDomains().Where(domain => domain.Id != DomainId.Zero).ToLookup(domain => domain.Handle);
        foreach (var id in ContainerDirectory.List(host.Options.ContainersDirectory).ToList())
        {
            cancellation.ThrowIfCancellationRequested();
            var directory = new ContainerDirectory(host.Options.ContainersDirectory, id);
            var record = directory.TryRead();
            var domain = domains[id.Value].Select(found => (DomainInfo?)found).FirstOrDefault();

            if (record is null or { State: ContainerState.Creating })
            {
                LogUndone(logger, id.ToString());
                await RemoveAsync(id, domain, record).ConfigureAwait(false);
                directory.Remove();
            }
            else if (!record.Ended && domain is { IsDying: false } alive)
            {
                LogTakenUp(logger, record.Shown, alive.Id.Value);
                yield return TakeUp(record, directory, alive.Id);
            }
            else
            {
                if (!record.Ended)
                {
                    await RemoveAsync(id, domain, record).ConfigureAwait(false);
                    record = Ended(record);
                    directory.Write(record);
                }
                if (record.AutoRemove)
                    directory.Remove();
                else
                    Add(record, directory);
            }
        }
    }

    private (Container, XenGuest) TakeUp(ContainerRecord record, ContainerDirectory directory, DomainId domain)
    {
        record = record with { Domain = domain.Value };
        var container = Add(record, directory);
        var console = GuestConsole.Attach(host.Xen, host.Events, domain, new Mfn(record.ConsoleFrame), new EvtchnPort(record.ConsolePort), container.ConsoleLog);
        container.ReleaseOutput(); // nobody attached to it waits any more
        return (container, // Its disks' loop devices are held by the back end alone, and detach with it.
            new XenGuest(host, record.Id, domain, console, []));
    }

    private Container Add(ContainerRecord record, ContainerDirectory directory)
    {
        var container = new Container(record, directory);
        containers.Reserve(record.Name, record.Id);
        containers.Add(container);
        return container;
    }

    /// <summary>The daemon before wrote the exit status before it let the guest go; if it did not, nobody knows it.</summary>
    private static ContainerRecord Ended(ContainerRecord record) => record with
    {
        State = record.Exit is null ? ContainerState.Failed : ContainerState.Exited,
        Exit = record.Exit ?? new ExitStatus(125, 0, "the guest ended while no hyphad ran."),
        Finished = DateTimeOffset.UtcNow,
        Domain = 0,
    };

    private async Task RemoveAsync(ContainerId id, DomainInfo? domain, ContainerRecord? record)
    {
        if (domain is { } found)
            await GuestRemoval.RunAsync(host, id, found.Id).ConfigureAwait(false);
        else if (record is { Domain: > 0 })
            await GuestRemoval.RunAsync(host, id, new DomainId((ushort)record.Domain)).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Container}: taken up again in domain {Domain}")]
    private static partial void LogTakenUp(ILogger logger, string container, int domain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Container}: its launch was cut off; what it made is removed")]
    private static partial void LogUndone(ILogger logger, string container);
}
