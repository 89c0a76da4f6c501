using Hypha.Containers.Console;
using Hypha.Containers.Devices;
using Hypha.Containers.Life;
using Hypha.Containers.Network;
using Hypha.Containers.Output;
using Hypha.Containers.Records;
using Hypha.DomainBuilder;
using Hypha.DomainBuilder.Kernel;
using Hypha.DomainBuilder.Pv;
using Hypha.Oci;
using Hypha.Xen;
using Microsoft.Extensions.Logging;
using BundleLayout = Hypha.Protocol.Guest.BundleLayout;

namespace Hypha.Containers.Launch;

/// <summary>
/// Makes a running guest of an image: resolves, packs, builds, connects its devices, starts. Every step pushes its undo, so
/// whatever fails, or a client that goes, leaves the host as it was.
/// </summary>
internal sealed partial class Launcher(HostResources host, ContainerSet containers, NetworkSet networks, ILogger logger)
{
    public ImageGate Images { get; } = new(host.Images);

    private const int ImageDisk = 51712;  // xvda
    private const int BundleDisk = 51728; // xvdb

    public async Task<(LaunchResult Result, XenGuest Guest)> LaunchAsync(LaunchOptions options, Action<LaunchProgress> progress,
        CancellationToken cancellation)
    {
        options.Check();
        var clock = new PhaseClock();
        var id = options.Id;
        string hostname = options.Hostname.Length > 0 ? options.Hostname : id.Short;
        string kernelPath = options.Kernel.Length > 0 ? options.Kernel : host.Options.DefaultKernel;
        string initrdPath = options.Initrd.Length > 0 ? options.Initrd : host.Options.DefaultInitrd;

        await using var undo = new UndoStack((what, error) => LogUndoFailed(logger, what, error));
        containers.Reserve(options.Name, id);
        undo.Push("freeing the name", () => containers.Free(options.Name, id));

        NetworkLease? lease = null;
        if (options.Network.Network != NetworkWishes.None)
        {
            lease = networks.Lease(options.Network, id);
            undo.Push("freeing the address", () => containers.Free(id));
        }

        // What can be told wrong without a download is told before it.
        using var kernel = LoadKernel(kernelPath);
        using var initrd = OpenInitrd(initrdPath);
        CheckMemory(options.MemoryMiB);
        clock.Mark("kernel");

        var image = await Images.GetAsync(options.Image, options.Insecure, PullPolicy.Missing, progress, cancellation).ConfigureAwait(false);
        var process = ProcessPlan.Make(image.Config, options, hostname);
        clock.Mark("image");

        var record = new ContainerRecord
        {
            Id = id,
            Name = options.Name,
            Image = options.Image,
            ImageDigest = image.Digest.ToString(),
            Command = [.. process.Args],
            Hostname = hostname,
            WorkingDirectory = process.Cwd,
            User = process.User,
            Environment = [.. process.Env],
            Terminal = process.Terminal,
            OpenStdin = process.OpenStdin,
            AutoRemove = options.AutoRemove,
            Debug = options.Debug,
            VCpus = options.VCpus,
            MemoryMiB = options.MemoryMiB,
            Kernel = kernelPath,
            Initrd = initrdPath,
            Network = lease,
            Created = DateTimeOffset.UtcNow,
        };
        var directory = new ContainerDirectory(host.Options.ContainersDirectory, id);
        directory.Create();
        undo.Push("removing the record", directory.Remove);
        directory.Write(record);
        await File.WriteAllBytesAsync(directory.BundlePath,
            BundleLayout.Encode(BundlePlan.Make(id, hostname, process, options, lease)), cancellation).ConfigureAwait(false);
        clock.Mark("bundle");

        progress(new LaunchProgress("build", $"{options.MemoryMiB} MiB, {options.VCpus} vCPU"));
        var builder = new PvDomainBuilder(new XenDomains(host.Xen));
        var domain = Explained(() => builder.Create(new DomainDescription
        {
            Handle = id.Value,
            VCpus = options.VCpus,
            MemoryMiB = options.MemoryMiB,
            Kernel = kernel,
            Initrds = [initrd],
            CommandLine = KernelCommandLine.Make(options),
        }));
        undo.Push($"removing domain {domain.Id.Value}", () => new ValueTask(GuestRemoval.RunAsync(host, id, domain.Id)));
        record = record with { Domain = domain.Id.Value };
        directory.Write(record);
        clock.Mark("domain");
        cancellation.ThrowIfCancellationRequested();

        var nodes = new DomainNodes(domain.Id, id.Value)
        {
            Name = options.Name.Length > 0 ? options.Name : id.ToString(),
            Image = options.Image,
            VCpus = options.VCpus,
            MemoryMiB = options.MemoryMiB,
        };
        var devices = Devices(image, directory, record);
        // Filling the domain is work of ours, connecting its devices mostly waiting for others. Undo must wait for both.
        var filling = Task.Run(() => Explained(() => builder.Fill(domain, cancellation)), CancellationToken.None);
        await Task.WhenAll(filling, ConnectAsync(devices, nodes, undo, cancellation)).ConfigureAwait(false);
        var built = await filling.ConfigureAwait(false);
        record = record with { ConsoleFrame = built.ConsoleFrame.Value, ConsolePort = built.ConsolePort.Value };
        clock.Mark("memory, devices");
        await nodes.IntroduceAsync(host.Store, built, cancellation).ConfigureAwait(false);
        clock.Mark("store");

        var container = new Container(record with { State = ContainerState.Running, Started = DateTimeOffset.UtcNow }, directory);
        undo.Push("closing the logs", container.Dispose);
        var console = GuestConsole.Attach(host.Xen, host.Events, built.Id, built.ConsoleFrame, built.ConsolePort, container.ConsoleLog);
        undo.Push("leaving the console", console.DisposeAsync);
        var guest = new XenGuest(host, id, built.Id, console, devices);
        progress(new LaunchProgress("start", ""));
        cancellation.ThrowIfCancellationRequested();
        host.Xen.UnpauseDomain(built.Id);
        directory.Write(container.Record);
        clock.Mark("start");

        containers.Add(container);
        undo.Commit();
        return (new LaunchResult(container, clock.Phases), guest);
    }

    /// <summary>xvda is the image, xvdb the bundle; the next kind of device joins here.</summary>
    private IReadOnlyList<IGuestDevice> Devices(StoredImage image, ContainerDirectory directory, ContainerRecord record)
    {
        List<IGuestDevice> devices = [new BlockDevice(ImageDisk, image.SquashfsPath), new BlockDevice(BundleDisk, directory.BundlePath)];
        if (record.Network is { } lease)
            devices.Add(new NetworkDevice(lease, record.NetworkNames, host.Options.NetworkBackEnd));
        return devices;
    }

    private KernelImage LoadKernel(string path)
    {
        try
        {
            return host.Kernels.Open(path);
        }
        catch (KernelImageException error)
        {
            throw new ContainerException(ContainerError.InvalidArgument, error.Message, error);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new ContainerException(ContainerError.NotFound,
                $"there is no guest kernel at {path}. Install one there, or name one with -k.", error);
        }
    }

    private static InitrdPart OpenInitrd(string path)
    {
        try
        {
            return InitrdPart.Open(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ContainerException(ContainerError.NotFound,
                $"the guest's initrd {path} cannot be opened ({error.Message}). Install one there, or name one with -r.", error);
        }
    }

    private void CheckMemory(long wantedMiB)
    {
        long freeMiB = (long)(host.Xen.ReadPhysicalInfo().AvailablePages >> 8);
        if (freeMiB < wantedMiB)
        {
            throw new ContainerException(ContainerError.ResourceExhausted,
                $"{wantedMiB} MiB of memory were asked for, and {freeMiB} MiB are free. Ask for less with -m, or destroy a container.");
        }
    }

    private static T Explained<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (DomainBuildException error)
        {
            throw new ContainerException(ContainerError.ResourceExhausted, error.Message, error);
        }
    }

    private async Task ConnectAsync(IReadOnlyList<IGuestDevice> devices, DomainNodes nodes, UndoStack undo, CancellationToken cancellation)
    {
        foreach (var device in devices)
            await device.PrepareAsync(nodes, undo, cancellation).ConfigureAwait(false);
        await nodes.WriteAsync(host.Store, cancellation).ConfigureAwait(false);
        // Until then the disks hang on this process: a daemon that finds the record must be able to take the guest up without it.
        foreach (var device in devices)
            await device.ServedAsync(host.Store, nodes.Domain, cancellation).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "undoing a failed launch: {What} failed; the next start of the daemon sweeps what is left")]
    private static partial void LogUndoFailed(ILogger logger, string what, Exception error);
}
