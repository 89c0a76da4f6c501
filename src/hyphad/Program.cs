using Hypha.Containers;
using Hypha.Containers.Devices;
using Hypha.Daemon;
using Hypha.Linux;

const string Usage = """
    hyphad: runs OCI containers as Xen guests. Usually started by systemd.

    Usage: hyphad [--state DIR] [--socket PATH] [--netback] [--debug]

      --state DIR      images, kernels and containers (default /var/lib/hypha)
      --socket PATH    the control socket (default /run/hypha/hyphad.sock)
      --netback        give guests network interfaces of the kernel's xen-netback, rather than hyphanet's own
      --debug          log more
      --version        print the version
    """;

string state = "/var/lib/hypha";
string socket = "/run/hypha/hyphad.sock";
NetworkBackEnd network = NetworkBackEnd.Direct;
bool debug = false;
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--state" when i + 1 < args.Length:
            state = args[++i];
            break;
        case "--socket" when i + 1 < args.Length:
            socket = args[++i];
            break;
        case "--netback":
            network = NetworkBackEnd.Kernel;
            break;
        case "--debug":
            debug = true;
            break;
        case "--version":
            Console.WriteLine(ControlService.ProgramVersion);
            return 0;
        case "--help" or "-h":
            Console.WriteLine(Usage);
            return 0;
        default:
            Console.Error.WriteLine($"hyphad: unknown argument \"{args[i]}\"");
            Console.Error.WriteLine(Usage);
            return 2;
    }
}

try
{
    return await Daemon.RunAsync(new EngineOptions { StateDirectory = state, NetworkBackEnd = network }, socket, debug).ConfigureAwait(false);
}
catch (Exception error) when (!debug && error is ContainerException or LinuxException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"hyphad: {error.Message}");
    return 1;
}
