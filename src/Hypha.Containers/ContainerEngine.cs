using Hypha.Containers.Console;
using Hypha.Containers.Devices;
using Hypha.Containers.Launch;
using Hypha.Containers.Life;
using Hypha.Containers.Network;
using Hypha.Containers.Records;
using Hypha.DomainBuilder.Kernel;
using Hypha.Host;
using Hypha.Oci;
using Hypha.Xen;
using Hypha.XenStore;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers;

/// <summary>
/// All of Hypha on one host: what the daemon serves. Opened once; it takes up the containers that a daemon before it left
/// running, and undoes what that one left half made.
/// </summary>
public sealed partial class ContainerEngine : IAsyncDisposable
{
    private readonly HostResources _host;
    private readonly Launcher _launcher;
    private readonly NetworkMove _moves;
    private readonly LaunchesUnderWay _underWay = new();
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Task> _supervised = [];

    private ContainerEngine(HostResources host, ILogger logger)
    {
        _host = host;
        _logger = logger;
        Networks = new NetworkSet(host.Options.NetworksDirectory, Containers, HostRoutes.Read, logger);
        _launcher = new Launcher(host, Containers, Networks, logger);
        _moves = new NetworkMove(host.Store, Networks, Containers, logger);
    }

    public ContainerSet Containers { get; } = new();

    public NetworkSet Networks { get; }

    public ImageStore Images => _host.Images;

    /// <exception cref="ContainerException">FailedPrecondition when this is no Xen host, with what to do.</exception>
    public static async Task<ContainerEngine> StartAsync(EngineOptions options, ILogger logger, CancellationToken cancellation)
    {
        var host = HostResources.Open(options, logger);
        var engine = new ContainerEngine(host, logger);
        var recovery = new Recovery(host, engine.Containers, logger);
        await foreach (var (container, guest) in recovery.RunAsync(cancellation).ConfigureAwait(false))
            engine.Supervise(container, guest);
        return engine;
    }

    /// <summary>Pulls what is missing, makes the guest, starts it.</summary>
    /// <exception cref="ContainerException">Everything is undone.</exception>
    /// <exception cref="OperationCanceledException">As is here.</exception>
    public async Task<LaunchResult> LaunchAsync(LaunchOptions options, Action<LaunchProgress> progress, CancellationToken cancellation)
    {
        using var launch = _underWay.Begin(options.Id, cancellation);
        if (Containers.Contains(options.Id))
            throw new ContainerException(ContainerError.AlreadyExists, $"there is a container with the UUID {options.Id}.");
        var (result, guest) = await _launcher.LaunchAsync(options, progress, launch.Cancellation).ConfigureAwait(false);
        if (!options.Attach)
            result.Container.ReleaseOutput();
        Supervise(result.Container, guest);
        return result;
    }

    /// <summary>
    /// Ends the guest if it lives, and forgets the container. One that is just being launched, named by its whole UUID, is undone
    /// first: then there is none.
    /// </summary>
    /// <exception cref="ContainerException">NotFound, or InvalidArgument when several begin so.</exception>
    public async Task<ContainerId> DestroyAsync(string name)
    {
        if (ContainerId.TryParse(name, out var id))
            await _underWay.GiveUpAsync(id).ConfigureAwait(false);
        var container = Containers.Find(name);
        container.RequestDestroy();
        await container.Ended.ConfigureAwait(false);
        Forget(container);
        return container.Record.Id;
    }

    /// <summary>Gives a running container, which is on no network now, a place on one.</summary>
    /// <exception cref="ContainerException">Everything is undone.</exception>
    public async Task<NetworkLease> ConnectAsync(string name, NetworkWishes wishes, CancellationToken cancellation) =>
        await _moves.ConnectAsync(Containers.Find(name), wishes, cancellation).ConfigureAwait(false);

    /// <summary>Takes a running container from its network; its interface stays.</summary>
    /// <exception cref="ContainerException">NotFound, FailedPrecondition.</exception>
    public async Task DisconnectAsync(string name, string network, CancellationToken cancellation) =>
        await _moves.DisconnectAsync(Containers.Find(name), network, cancellation).ConfigureAwait(false);

    public async Task<StoredImage> PullAsync(string image, bool insecure, Action<LaunchProgress> progress, CancellationToken cancellation) =>
        await _launcher.Images.GetAsync(image, insecure, PullPolicy.Always, progress, cancellation).ConfigureAwait(false);

    /// <summary>What is kept of the guest's console; with <paramref name="follow"/>, what comes until it ends, too.</summary>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadConsoleAsync(Container container, bool follow, CancellationToken cancellation) =>
        follow ? container.ConsoleLog.FollowAsync(0, cancellation) : Kept(container.ConsoleLog);

    public IReadOnlyList<HostCheck> HostChecks() => new HostProbe(_host.Options.StateDirectory).Run();

    public HostInfo HostInfo()
    {
        var memory = _host.Xen.ReadPhysicalInfo();
        var containers = Containers.All;
        return new HostInfo
        {
            XenVersion = _host.Xen.Version.ToString(),
            KernelVersion = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            Cpus = (int)memory.Cpus,
            TotalMemoryMiB = (long)(memory.TotalPages >> 8),
            FreeMemoryMiB = (long)(memory.AvailablePages >> 8),
            Running = containers.Count(container => !container.Record.Ended),
            Ended = containers.Count(container => container.Record.Ended),
            DomctlVersion = (uint)_host.Xen.DomctlVersion,
            SysctlVersion = (uint)_host.Xen.SysctlVersion,
            CommandLine = _host.Xen.ReadCommandLine(),
            DefaultKernel = _host.Options.DefaultKernel,
            DefaultInitrd = _host.Options.DefaultInitrd,
        };
    }

    /// <summary>Lets go of everything; the guests go on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] supervised;
        lock (_gate)
            supervised = [.. _supervised];
        await Task.WhenAll(supervised).ConfigureAwait(false);
        foreach (var container in Containers.All)
            container.Dispose();
        await _host.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Supervise(Container container, IGuest guest)
    {
        // An auto-removed container is forgotten before its end is told, so that who waited for it finds nothing left.
        var supervisor = new Supervisor(container, guest, _host.Options.Supervisor,
            () => { if (container.Record.AutoRemove) Forget(container); }, _logger);
        var running = Task.Run(() => supervisor.RunAsync(_stop.Token));
        lock (_gate)
        {
            _supervised.RemoveAll(task => task.IsCompleted);
            _supervised.Add(running);
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Kept(BoundedLog log)
    {
        var chunk = new byte[16 << 10];
        long offset = 0;
        for (int count; (count = log.Read(ref offset, chunk)) > 0; chunk = new byte[chunk.Length])
            yield return chunk.AsMemory(0, count);
        await Task.CompletedTask.ConfigureAwait(false);
    }

    private void Forget(Container container)
    {
        Containers.Remove(container);
        container.Directory.Remove();
    }
}
