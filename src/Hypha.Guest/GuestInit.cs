using Hypha.Guest.Agent;
using Hypha.Guest.Processes;
using Hypha.Guest.Start;
using Hypha.Linux;
using Hypha.Protocol.Guest;
using Hypha.Ttrpc;

namespace Hypha.Guest;

/// <summary>Pid 1 of a guest, from the kernel's hand to power off.</summary>
public sealed class GuestInit
{
    private static readonly TimeSpan s_deviceDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lastWords = TimeSpan.FromMilliseconds(250);

    private readonly InitConsole _console;
    private readonly BootOptions _options;

    private GuestInit(InitConsole console, BootOptions options) => (_console, _options) = (console, options);

    /// <summary>Never returns while the machine is on.</summary>
    public static void Run()
    {
        CallingProcess.IgnoreBrokenPipes();
        InitConsole? console = null;
        try
        {
            InitFileSystems.MountKernels();
            console = InitConsole.Open();
            new GuestInit(console, BootOptions.Parse(System.IO.File.ReadAllText("/proc/cmdline"))).Serve();
        }
        catch (Exception e)
        {
            (console ?? InitConsole.Open()).Print(e is StartException or LinuxException ? e.Message : $"the guest's init failed: {e}");
        }
        // The console's last line is on its way.
        Thread.Sleep(s_lastWords);
        Machine.PowerOff();
    }

    private void Serve()
    {
        KernelModules.Load(_console);
        Bundle bundle = ReadBundle();
        _console.IsDebugging = bundle.Debug;
        _console.Debug($"container {bundle.ContainerId}: {string.Join(' ', bundle.Process.Args)}");

        var container = new Container(bundle);
        var agent = new AgentService(container, _console);
        agent.Released.ContinueWith(_ => PowerOff(), TaskScheduler.Default);
        ServeAgent(agent);
        StartContainer(bundle, container);

        while (ChildProcess.WaitAny() is { } exit)
            container.ChildEnded(exit);
        _console.Debug($"the container ended: {container.Ended.Result}");
        Thread.Sleep(Timeout.Infinite); // the host decides when
    }

    private Bundle ReadBundle()
    {
        WaitForDevice(_options.BundleDevice);
        using FileStream disk = System.IO.File.OpenRead(_options.BundleDevice);
        return BundleDisk.Read(disk);
    }

    private void StartContainer(Bundle bundle, Container container)
    {
        try
        {
            if (bundle.Hostname.Length > 0)
                Machine.SetHostname(bundle.Hostname);
            WaitForDevice(bundle.Root.Device);
            KernelSettings.Apply(_console);
            InitFileSystems.EnableControllers(_console);
            InitFileSystems.MountRoot(bundle.Root);
            GuestNetwork.Apply(bundle.Networks, _console);
        }
        catch (Exception e) when (e is StartException or LinuxException)
        {
            container.Fail(e as StartException ?? new StartException(StartException.CannotStart, $"the guest cannot be prepared: {e.Message}", e));
            return;
        }
        container.Start();
        if (container.Ended is { IsCompletedSuccessfully: true, Result.Failure: { } failure })
            _console.Print(failure.Message);
    }

    private void ServeAgent(AgentService agent)
    {
        Func<Task> serve = _options.ChannelDevice is { } path ? () => ServeDevice(agent, path) : new XenChannel(agent, _console).RunAsync;
        new Thread(() =>
        {
            try
            {
                serve().GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                // The container goes on; its host can see this line, and end it.
                _console.Print($"the channel to the host is lost: {e.Message}");
            }
        }) { Name = "agent", IsBackground = true }.Start();
    }

    private static Task ServeDevice(AgentService agent, string path)
    {
        WaitForDevice(path);
        return new TtrpcServer(new DeviceChannel(FileDescriptor.Open(path, OpenFlags.ReadWrite)), agent.Services()).RunAsync();
    }

    private void PowerOff()
    {
        _console.Debug("released");
        Thread.Sleep(s_lastWords);
        Machine.PowerOff();
    }

    private static void WaitForDevice(string path)
    {
        using var watch = new DirectoryWatch("/dev");
        if (!watch.WaitFor(path, s_deviceDeadline))
            throw new StartException(StartException.CannotStart, $"the guest's device {path} did not appear within {s_deviceDeadline.TotalSeconds:0} s");
    }
}
