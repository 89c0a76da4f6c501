using Hypha.Containers.Console;
using Hypha.Containers.Life;
using Hypha.DomainBuilder.Kernel;
using Hypha.Host;
using Hypha.Linux;
using Hypha.Oci;
using Hypha.Xen;
using Hypha.XenStore;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers;

/// <summary>What all containers of a host share: the hypervisor, the store, event channels, images, kernels.</summary>
internal sealed partial class HostResources : IAsyncDisposable
{
    private const ushort HostWeight = 16 * Hypervisor.DefaultWeight;

    private HostResources(EngineOptions options, Hypervisor xen, EventChannels events, XenStoreClient store, ILogger logger)
    {
        Options = options;
        Xen = xen;
        Events = events;
        Store = store;
        Domains = new DomainWatcher(xen, store, logger);
        Images = new ImageStore(options.ImagesDirectory, ImageStoreOptions.Default);
        Kernels = new KernelCache(options.KernelsDirectory);
    }

    public EngineOptions Options { get; }
    public Hypervisor Xen { get; }
    public EventChannels Events { get; }
    public XenStoreClient Store { get; }
    public DomainWatcher Domains { get; }
    public ImageStore Images { get; }
    public KernelCache Kernels { get; }

    /// <exception cref="ContainerException">FailedPrecondition: what lacks, and what to do.</exception>
    public static HostResources Open(EngineOptions options, ILogger logger)
    {
        Directory.CreateDirectory(options.ContainersDirectory);
        Directory.CreateDirectory(options.NetworksDirectory);
        Directory.CreateDirectory(options.ImagesDirectory);
        Directory.CreateDirectory(options.KernelsDirectory);
        var opened = new Stack<IDisposable>();
        try
        {
            var xen = Hypervisor.Open();
            opened.Push(xen);
            var events = EventChannels.Open();
            opened.Push(events);
            var store = XenStoreClient.Connect();
            opened.Push(store);
            RaiseHost(xen, logger);
            return new HostResources(options, xen, events, store, logger);
        }
        catch (Exception error) when (error is IOException)
        {
            while (opened.TryPop(out var resource))
                resource.Dispose();
            // The first thing that lacks, in the order in which a person would put it right, explains the failure best.
            var lacking = new HostProbe(options.StateDirectory).Obstacle();
            throw new ContainerException(ContainerError.FailedPrecondition,
                lacking is null ? error.Message : $"{lacking.Detail}. {lacking.Advice} ({error.Message})", error);
        }
    }

    /// <summary>
    /// The host serves all guests: their disks, network, consoles, and whoever wants to stop one. Among equals it would get a guest's
    /// share, however many there are, and guests that compute without end would keep it from its work. A weight that somebody chose stays.
    /// </summary>
    private static void RaiseHost(Hypervisor xen, ILogger logger)
    {
        if (xen.TryGetWeight(DomainId.Zero, out int weight) && weight == Hypervisor.DefaultWeight && xen.TrySetWeight(DomainId.Zero, HostWeight))
            LogRaised(logger, HostWeight / Hypervisor.DefaultWeight);
    }

    public async ValueTask DisposeAsync()
    {
        await Domains.DisposeAsync().ConfigureAwait(false);
        Store.Dispose();
        Events.Dispose();
        Xen.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "the host has {Times} times a guest's share of the processors while they are short")]
    private static partial void LogRaised(ILogger logger, int times);
}
