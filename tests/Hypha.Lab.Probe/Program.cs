// Builds one PV domain in dom0, prints its console until a text appears, and destroys it:
// hypha-lab-probe --kernel FILE [--cache DIR] [--initrd FILE]... [--memory MIB] [--cpus N] [--append TEXT]
//                 [--until TEXT] [--seconds N] [--repeat N] [--quiet] [--store]
// With --store the domain is introduced to the xenstore; a Linux guest that is not stops at its first question to it.
// Exit status: 0 when the text appeared (or, without --until, when the domain was built), 1 when not, 2 when nothing was built.
using System.Diagnostics;
using System.Text;
using Hypha.DomainBuilder;
using Hypha.DomainBuilder.Kernel;
using Hypha.DomainBuilder.Pv;
using Hypha.Lab.Probe;
using Hypha.Xen;
using Hypha.XenStore;

string? kernelPath = null, cacheDirectory = null, until = null;
string append = "console=hvc0 earlyprintk=xen";
List<string> initrdPaths = [];
int memory = 256, cpus = 1, seconds = 60, repeat = 1;
bool quiet = false, useStore = false;
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--kernel": kernelPath = args[++i]; break;
        case "--cache": cacheDirectory = args[++i]; break;
        case "--initrd": initrdPaths.Add(args[++i]); break;
        case "--memory": memory = int.Parse(args[++i]); break;
        case "--cpus": cpus = int.Parse(args[++i]); break;
        case "--append": append = args[++i]; break;
        case "--until": until = args[++i]; break;
        case "--seconds": seconds = int.Parse(args[++i]); break;
        case "--repeat": repeat = int.Parse(args[++i]); break;
        case "--store": useStore = true; break;
        case "--quiet": quiet = true; break;
        default: Console.Error.WriteLine($"unknown option {args[i]}"); return 2;
    }
}

try
{
    using Hypervisor xen = Hypervisor.Open();
    using XenStoreClient? store = useStore ? XenStoreClient.Connect() : null;
    Console.Error.WriteLine($"Xen {xen.Version}, domctl 0x{xen.DomctlVersion:x}, {xen.ReadPhysicalInfo().AvailablePages >> 8} MiB free");
    int status = 0;
    for (int round = 0; round < repeat && status == 0; round++)
        status = Launch(xen, store);
    Console.Error.WriteLine($"{xen.ReadPhysicalInfo().AvailablePages >> 8} MiB free, {xen.ListDomains().Count} domains");
    return status;
}
catch (Exception e) when (e is XenException or StoreException or DomainBuildException or KernelImageException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

int Launch(Hypervisor xen, XenStoreClient? store)
{
    Stopwatch clock = Stopwatch.StartNew();
    using KernelImage kernel = cacheDirectory is null ? KernelImage.Load(kernelPath!) : new KernelCache(cacheDirectory).Open(kernelPath!);
    List<InitrdPart> initrds = initrdPaths.ConvertAll(InitrdPart.Open);
    TimeSpan opened = clock.Elapsed;
    BuiltDomain domain = new PvDomainBuilder(new XenDomains(xen)).Build(new DomainDescription
    {
        Handle = Guid.NewGuid(),
        VCpus = cpus,
        MemoryMiB = memory,
        Kernel = kernel,
        Initrds = initrds,
        CommandLine = append,
    });
    initrds.ForEach(part => part.Dispose());
    Console.Error.WriteLine($"{domain.Id} built in {clock.Elapsed.TotalMilliseconds:F1} ms: open {opened.TotalMilliseconds:F1}, " +
        string.Join(", ", domain.Phases.Select(phase => $"{phase.Name} {phase.Time.TotalMilliseconds:F1}")));
    try
    {
        using ConsoleOutput console = new(ForeignMemory.Map(xen, domain.Id, [domain.ConsoleFrame]));
        store?.IntroduceAsync(domain.Id.Value, domain.StoreFrame.Value, domain.StorePort.Value).GetAwaiter().GetResult();
        xen.UnpauseDomain(domain.Id);
        return until is null || Watch(xen, domain.Id, console) ? 0 : 1;
    }
    finally
    {
        xen.DestroyDomain(domain.Id);
    }
}

bool Watch(Hypervisor xen, DomainId domain, ConsoleOutput console)
{
    using Stream output = Console.OpenStandardOutput();
    StringBuilder seen = new();
    byte[] buffer = new byte[2048];
    Stopwatch clock = Stopwatch.StartNew();
    while (clock.Elapsed < TimeSpan.FromSeconds(seconds))
    {
        int n = console.Read(buffer);
        if (n > 0)
        {
            if (!quiet)
                output.Write(buffer, 0, n);
            seen.Append(Encoding.Latin1.GetString(buffer, 0, n));
            if (seen.ToString().Contains(until!, StringComparison.Ordinal))
            {
                Console.Error.WriteLine($"\"{until}\" after {clock.Elapsed.TotalMilliseconds:F0} ms");
                return true;
            }
            continue;
        }
        if (!xen.TryGetDomain(domain, out DomainInfo info) || info.IsShutdown)
        {
            Console.Error.WriteLine($"{domain} shut down after {clock.Elapsed.TotalMilliseconds:F0} ms: {info.ShutdownReason}");
            return false;
        }
        Thread.Sleep(1);
    }
    Console.Error.WriteLine($"not seen within {seconds} s");
    return false;
}
