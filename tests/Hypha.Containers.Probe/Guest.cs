using System.Diagnostics;
using Hypha.Containers.Console;
using Hypha.Containers.Devices;
using Hypha.Containers.Life;
using Hypha.DomainBuilder;
using Hypha.DomainBuilder.Kernel;
using Hypha.DomainBuilder.Pv;
using Hypha.Xen;
using Hypha.XenStore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hypha.Containers.Probe;

/// <summary>A guest on a real hypervisor: built, its nodes laid, its disks and console served, and at the end nothing left of it.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private readonly Hypervisor _xen = Hypervisor.Open();
    private readonly EventChannels _events = EventChannels.Open();
    private readonly string _directory = Directory.CreateTempSubdirectory("probe-").FullName;
    private readonly Guid _uuid = Guid.NewGuid();
    private readonly List<BlockDevice> _disks = [];
    private readonly BoundedLog _log;
    private readonly BuiltDomain _domain;
    private readonly DomainWatcher _watcher;
    private GuestConsole _console;

    private Guest(string kernelPath, string initrdPath, string command)
    {
        _log = new BoundedLog(Path.Combine(_directory, "console.log"));
        Store = XenStoreClient.Connect();
        _watcher = new DomainWatcher(_xen, Store, NullLogger.Instance);
        Before = Leftovers();
        using KernelImage kernel = new KernelCache("/tmp/kernels").Open(kernelPath);
        using InitrdPart initrd = InitrdPart.Open(initrdPath);
        _domain = new PvDomainBuilder(new XenDomains(_xen)).Build(new DomainDescription
        {
            Handle = _uuid,
            MemoryMiB = 128,
            Kernel = kernel,
            Initrds = [initrd],
            CommandLine = $"console=hvc0 panic=-1 loglevel=5 probe={command}",
        });
        _console = Attach();
    }

    public XenStoreClient Store { get; }

    public DomainId Id => _domain.Id;

    public string Image => Path.Combine(_directory, "image");

    public BlockDevice Disk => _disks[0];

    public Task<string> Ended { get; private set; } = Task.FromResult("");

    private string[] Before { get; }

    public static async Task<Guest> StartAsync(string kernel, string initrd, string command)
    {
        var guest = new Guest(kernel, initrd, command);
        await File.WriteAllBytesAsync(guest.Image, [.. "the image's first line\n"u8, .. new byte[8192 - 23]]);
        await File.WriteAllBytesAsync(guest.Image + ".bundle", [.. "the bundle's first line\n"u8, .. new byte[8192 - 24]]);
        var nodes = new DomainNodes(guest.Id, guest._uuid)
        {
            Name = "probe",
            Image = "probe:latest",
            VCpus = 1,
            MemoryMiB = 128,
        };
        await using var undo = new UndoStack((what, error) => System.Console.Error.WriteLine($"{what}: {error}"));
        var clock = Stopwatch.StartNew();
        foreach (var (number, path) in new[] { (51712, guest.Image), (51728, guest.Image + ".bundle") })
        {
            var disk = new BlockDevice(number, path);
            guest._disks.Add(disk);
            await disk.PrepareAsync(nodes, undo, default);
        }
        TimeSpan loops = clock.Elapsed;
        await nodes.WriteAsync(guest.Store);
        await nodes.IntroduceAsync(guest.Store, guest._domain);
        undo.Commit();
        System.Console.WriteLine($"        two loop devices {loops.TotalMilliseconds:F1} ms, nodes {(clock.Elapsed - loops).TotalMilliseconds:F1} ms");
        guest.Ended = guest._watcher.WaitForEndAsync(guest.Id, guest._uuid);
        guest._xen.UnpauseDomain(guest.Id);
        return guest;
    }

    /// <summary>Waits for a line with a text on the console.</summary>
    public async Task<string> SeeAsync(string text)
    {
        using var patience = new CancellationTokenSource(s_patience);
        var seen = new System.Text.StringBuilder();
        try
        {
            await foreach (ReadOnlyMemory<byte> chunk in _console.Log.FollowAsync(0, patience.Token))
            {
                seen.Append(System.Text.Encoding.UTF8.GetString(chunk.Span));
                int at = seen.ToString().IndexOf(text, StringComparison.Ordinal);
                if (at >= 0 && seen.ToString().IndexOf('\n', at) >= 0)
                    return seen.ToString()[at..].Split('\n')[0].Trim();
            }
        }
        catch (OperationCanceledException)
        {
        }
        throw new TimeoutException($"\"{text}\" was not seen on the console:\n{_console.Log.Tail(40)}");
    }

    public void Type(string text) => _console.Write(System.Text.Encoding.ASCII.GetBytes(text));

    /// <summary>As a daemon does that was restarted.</summary>
    public async Task ReattachAsync()
    {
        await _console.DisposeAsync();
        _console = Attach();
    }

    /// <summary>Removes the guest, and says what is left of it.</summary>
    public async Task<string[]> RemoveAsync()
    {
        await _console.DisposeAsync();
        if (_xen.TryGetDomain(Id, out _))
            new XenDomains(_xen).Destroy(Id);
        var clock = Stopwatch.StartNew();
        await DomainNodes.RemoveAsync(Store, Id, _uuid);
        _disks.ForEach(disk => disk.Dispose());
        if (!await _watcher.WaitUntilGoneAsync(Id, _uuid, TimeSpan.FromSeconds(10)))
            return [$"{Id} is still there"];
        System.Console.WriteLine($"        removed in {clock.Elapsed.TotalMilliseconds:F0} ms");
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (true)
        {
            string[] left = [.. Leftovers().Except(Before)];
            if (left.Length == 0 || DateTime.UtcNow > deadline)
                return left;
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync();
        await _watcher.DisposeAsync();
        Store.Dispose();
        _events.Dispose();
        _xen.Dispose();
        _log.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private GuestConsole Attach() => GuestConsole.Attach(_xen, _events, Id, _domain.ConsoleFrame, _domain.ConsolePort, _log);

    private string[] Leftovers()
    {
        List<string> all = [.. _xen.ListDomains().Select(domain => domain.Id.ToString())];
        all.AddRange(Directory.EnumerateDirectories("/sys/block", "loop*").Where(path => File.Exists($"{path}/loop/backing_file")));
        Walk("/local/domain");
        Walk("/vm");
        // Kept empty for the next guest.
        all.RemoveAll(node => node is "/local/domain/0/backend" || node.StartsWith("/local/domain/0/backend/", StringComparison.Ordinal) && node.Split('/').Length == 6);
        return [.. all];

        void Walk(StorePath path)
        {
            foreach (string name in Store.TryListAsync(path).GetAwaiter().GetResult())
            {
                all.Add((path / name).Value);
                Walk(path / name);
            }
        }
    }
}
