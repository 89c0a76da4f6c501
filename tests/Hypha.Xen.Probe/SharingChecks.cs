using Hypha.Linux;
using static Hypha.Xen.Probe.Check;

namespace Hypha.Xen.Probe;

/// <summary>Event channels and grants, from domain 0 to itself.</summary>
internal static class SharingChecks
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    internal static IEnumerable<Check> All =>
    [
        new("An event reaches the other end, both ways", EventBothWays),
        new("Events before a wait are one, and the next wait sleeps", EventsMerge),
        new("A wait can be cancelled, and the channel waits on", WaitCancelled),
        new("A channel that is disposed ends its wait and frees its port", DisposeEndsWait),
        new("1,000 round trips over two channels", RoundTrips),
        Of("What is written to granted pages is seen through the mapping of the grants", GrantPages),
        new("The end of a mapping clears a byte and sends an event", UnmapNotice),
        Of("A grant that does not exist is refused with its number", NoSuchGrant),
        new("Granting and mapping leave no file and no memory behind", NothingLeft),
        Of("A console ring in a guest's page works from the host", Console),
    ];

    private static async Task<(EventChannel Here, EventChannel There)> Pair(EventChannels channels)
    {
        EventChannel here = channels.BindUnbound(DomainId.Zero);
        EventChannel there = channels.BindInterdomain(DomainId.Zero, here.Port);
        That(await there.WaitAsync().AsTask().WaitAsync(s_deadline), "the event that Xen sends to a channel that is bound");
        return (here, there);
    }

    private static async Task EventBothWays()
    {
        using var channels = EventChannels.Open();
        (EventChannel here, EventChannel there) = await Pair(channels);
        Task<bool> wait = there.WaitAsync().AsTask();
        here.Notify();
        That(await wait.WaitAsync(s_deadline), "there");
        wait = here.WaitAsync().AsTask();
        there.Notify();
        That(await wait.WaitAsync(s_deadline), "here");
    }

    private static async Task EventsMerge()
    {
        using var channels = EventChannels.Open();
        (EventChannel here, EventChannel there) = await Pair(channels);
        for (int i = 0; i < 1000; i++)
            here.Notify();
        using var timeout = new CancellationTokenSource(s_deadline);
        int waits = 0;
        That(await there.WaitAsync(timeout.Token), "an event");
        using var quiet = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        try
        {
            while (await there.WaitAsync(quiet.Token))
                waits++;
        }
        catch (OperationCanceledException)
        {
        }

        That(waits < 3, $"{waits} more waits");
    }

    private static async Task WaitCancelled()
    {
        using var channels = EventChannels.Open();
        (EventChannel here, EventChannel there) = await Pair(channels);
        using var cancel = new CancellationTokenSource();
        Task<bool> wait = there.WaitAsync(cancel.Token).AsTask();
        cancel.Cancel();
        try
        {
            await wait.WaitAsync(s_deadline);
            throw new InvalidOperationException("no exception");
        }
        catch (OperationCanceledException)
        {
        }

        here.Notify();
        That(await there.WaitAsync().AsTask().WaitAsync(s_deadline), "an event after a cancelled wait");
    }

    private static async Task DisposeEndsWait()
    {
        using var channels = EventChannels.Open();
        using var xen = Hypervisor.Open();
        (EventChannel here, EventChannel there) = await Pair(channels);
        Task<bool> wait = there.WaitAsync().AsTask();
        EvtchnPort port = there.Port;
        there.Dispose();
        Equal(false, await wait.WaitAsync(s_deadline), "the wait's result");
        Equal(EventChannelState.Closed, xen.ReadEventChannel(DomainId.Zero, port).State, "the port");
        Equal(EventChannelState.Unbound, xen.ReadEventChannel(DomainId.Zero, here.Port).State, "the other end");
        port = here.Port;
        channels.Dispose();
        Equal(EventChannelState.Closed, xen.ReadEventChannel(DomainId.Zero, port).State, "the other end after all");
    }

    private static async Task RoundTrips()
    {
        const int Trips = 1000;
        using var channels = EventChannels.Open();
        (EventChannel here, EventChannel there) = await Pair(channels);
        Task echo = Task.Run(async () =>
        {
            for (int i = 0; i < Trips; i++)
            {
                await there.WaitAsync();
                there.Notify();
            }
        });
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int i = 0; i < Trips; i++)
        {
            here.Notify();
            await here.WaitAsync();
        }

        System.Console.WriteLine($"        {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds / Trips:f1} us each");
        await echo.WaitAsync(s_deadline);
    }

    private static void GrantPages()
    {
        using GrantShare share = GrantShare.Allocate(DomainId.Zero, 5);
        GrantRef[] backwards = share.Grants.ToArray();
        Array.Reverse(backwards);
        using GrantMap map = GrantMap.Map(DomainId.Zero, backwards);
        for (int page = 0; page < 5; page++)
            share.Memory.Span.Slice(page * Page.Size, Page.Size).Fill((byte)(page + 1));
        for (int page = 0; page < 5; page++)
            That(map.Memory.Span.Slice(page * Page.Size, Page.Size).IndexOfAnyExcept((byte)(5 - page)) < 0, $"page {page}");
        map.Memory.Span[0] = 77;
        Equal((byte)77, share.Memory.Span[4 * Page.Size], "written through the mapping");
        using GrantMap readOnly = GrantMap.Map(DomainId.Zero, backwards, MemoryAccess.Read);
        Equal((byte)77, readOnly.Memory.Span[0], "read-only mapping");
    }

    private static async Task UnmapNotice()
    {
        using var channels = EventChannels.Open();
        (EventChannel here, EventChannel there) = await Pair(channels);
        using GrantShare share = GrantShare.Allocate(DomainId.Zero, 1);
        share.Memory.Span.Fill(9);
        GrantMap map = GrantMap.Map(DomainId.Zero, share.Grants);
        map.NotifyOnUnmap(20, there.Port);
        map.Dispose();
        That(await here.WaitAsync().AsTask().WaitAsync(s_deadline), "an event");
        Equal((byte)0, share.Memory.Span[20], "the byte");
        Equal((byte)9, share.Memory.Span[21], "its neighbour");

        // And from the granting side.
        GrantShare other = GrantShare.Allocate(DomainId.Zero, 2);
        other.Memory.Span.Fill(9);
        using GrantMap mapped = GrantMap.Map(DomainId.Zero, other.Grants);
        other.NotifyOnUnmap(21, there.Port);
        other.Dispose();
        That(await here.WaitAsync().AsTask().WaitAsync(s_deadline), "an event");
        Equal((byte)0, mapped.Memory.Span[21], "the byte");
        Equal((byte)9, mapped.Memory.Span[20], "its neighbour");
    }

    private static void NoSuchGrant()
    {
        try
        {
            GrantMap.Map(DomainId.Zero, [new GrantRef(30_000)]).Dispose();
        }
        catch (XenException e)
        {
            System.Console.WriteLine($"        {e.Message}");
            That(e.Message.Contains("grant 30000 of domain 0", StringComparison.Ordinal), "names the grant");
            return;
        }

        throw new InvalidOperationException("no exception");
    }

    private static async Task NothingLeft()
    {
        await Once();
        int files = Directory.GetFiles("/proc/self/fd").Length;
        int maps = XenMappings();
        for (int i = 0; i < 200; i++)
            await Once();
        Equal(files, Directory.GetFiles("/proc/self/fd").Length, "open files");
        Equal(maps, XenMappings(), "mappings of Xen's devices");

        static async Task Once()
        {
            using var channels = EventChannels.Open();
            await Pair(channels);
            using GrantShare share = GrantShare.Allocate(DomainId.Zero, 4);
            using GrantMap map = GrantMap.Map(DomainId.Zero, share.Grants);
            using var xen = Hypervisor.Open();
        }

        static int XenMappings() => File.ReadLines("/proc/self/maps").Count(line => line.Contains("/dev/xen/", StringComparison.Ordinal));
    }

    private static void Console() => HypervisorChecks.WithDomain((xen, domain) =>
    {
        var page = new Mfn[1];
        xen.PopulatePhysmap(domain, 0, [new Pfn(0)], page);
        using ForeignMemory clear = ForeignMemory.Map(xen, domain, page);
        clear.Span.Clear();
        "hello from the guest\n"u8.CopyTo(clear.Span[1024..]);
        clear.Span[3084] = 21; // out_prod
        using ForeignMemory memory = ForeignMemory.Map(xen, domain, page);
        var console = new ConsoleRing(memory.Memory);
        byte[] text = new byte[100];
        Equal(21, console.Read(text), "bytes");
        That(text.AsSpan(0, 21).SequenceEqual("hello from the guest\n"u8), "text");
        Equal((byte)21, clear.Span[3080], "out_cons");
        Equal(4, console.Write("exit"u8), "bytes written");
        Equal((byte)4, clear.Span[3076], "in_prod");
    });
}
