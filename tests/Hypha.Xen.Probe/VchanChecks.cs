using static Hypha.Xen.Probe.Check;

namespace Hypha.Xen.Probe;

/// <summary>A vchan from domain 0 to itself, over real grants and events.</summary>
internal static class VchanChecks
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    internal static IEnumerable<Check> All =>
    [
        new("A vchan passes bytes both ways", Echo),
        new("A vchan passes 32 MiB to the host", Throughput),
        new("A vchan's round trips", RoundTrips),
        new("A vchan ends at the host when the guest's side is disposed, and the other way round", Ends),
        new("A vchan to a process that was killed ends", KilledPeer),
        new("A vchan that is closed leaves no port, file or mapping behind", NothingLeft),
    ];

    private static async Task Echo()
    {
        using var channels = EventChannels.Open();
        using var server = VchanServer.Create(channels, DomainId.Zero);
        System.Console.WriteLine($"        {server.RingRef}, {server.Port}");
        using VchanStream client = VchanClient.Connect(channels, DomainId.Zero, server.RingRef, server.Port);
        byte[] bytes = new byte[300_000];
        Random.Shared.NextBytes(bytes);
        Task echo = Task.Run(async () =>
        {
            byte[] buffer = new byte[5000];
            int count;
            while ((count = await server.Stream.ReadAsync(buffer)) > 0)
                await server.Stream.WriteAsync(buffer.AsMemory(0, count));
        });
        Task write = client.WriteAsync(bytes).AsTask();
        byte[] back = new byte[bytes.Length];
        await client.ReadExactlyAsync(back).AsTask().WaitAsync(s_deadline);
        await write;
        That(back.AsSpan().SequenceEqual(bytes), "the same bytes come back");
        client.Dispose();
        await echo.WaitAsync(s_deadline);
    }

    private static async Task Throughput()
    {
        const int Total = 32 << 20;
        using var channels = EventChannels.Open();
        using var server = VchanServer.Create(channels, DomainId.Zero);
        using VchanStream client = VchanClient.Connect(channels, DomainId.Zero, server.RingRef, server.Port);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        Task write = Task.Run(async () =>
        {
            byte[] chunk = new byte[32768];
            for (int sent = 0; sent < Total; sent += chunk.Length)
                await server.Stream.WriteAsync(chunk);
        });
        byte[] buffer = new byte[65536];
        long received = 0;
        while (received < Total)
            received += await client.ReadAsync(buffer).AsTask().WaitAsync(s_deadline);
        await write;
        System.Console.WriteLine($"        {Total / System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds / (1 << 20):f0} MiB/s");
    }

    private static async Task RoundTrips()
    {
        const int Trips = 2000;
        using var channels = EventChannels.Open();
        using var server = VchanServer.Create(channels, DomainId.Zero);
        using VchanStream client = VchanClient.Connect(channels, DomainId.Zero, server.RingRef, server.Port);
        Task echo = Task.Run(async () =>
        {
            byte[] one = new byte[1];
            while (await server.Stream.ReadAsync(one) > 0)
                await server.Stream.WriteAsync(one);
        });
        byte[] key = [1];
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int i = 0; i < Trips; i++)
        {
            await client.WriteAsync(key);
            await client.ReadExactlyAsync(key);
        }

        System.Console.WriteLine($"        {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds / Trips:f1} us each");
        client.Dispose();
        await echo.WaitAsync(s_deadline);
    }

    private static async Task Ends()
    {
        using var channels = EventChannels.Open();
        foreach (bool serverFirst in (bool[])[true, false])
        {
            using var server = VchanServer.Create(channels, DomainId.Zero);
            using VchanStream client = VchanClient.Connect(channels, DomainId.Zero, server.RingRef, server.Port);
            (VchanStream going, VchanStream staying) = serverFirst ? (server.Stream, client) : (client, server.Stream);
            Task<int> read = staying.ReadAsync(new byte[10]).AsTask();
            Task write = staying.WriteAsync(new byte[1 << 20]).AsTask();
            going.Dispose();
            Equal(0, await read.WaitAsync(s_deadline), "read");
            try
            {
                await write.WaitAsync(s_deadline);
                throw new InvalidOperationException("no exception");
            }
            catch (XenException)
            {
            }
        }
    }

    /// <summary>What the killed process does: serves, says where, and waits to be killed.</summary>
    internal static async Task ServeUntilKilled()
    {
        using var channels = EventChannels.Open();
        using var server = VchanServer.Create(channels, DomainId.Zero);
        await server.Stream.WriteAsync("last words"u8.ToArray());
        System.Console.WriteLine($"{server.RingRef.Value} {server.Port.Value}");
        await server.Stream.ReadExactlyAsync(new byte[1]);
    }

    private static async Task KilledPeer()
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(Environment.ProcessPath!, ["--serve"]) { RedirectStandardOutput = true })!;
        string[] words = (await process.StandardOutput.ReadLineAsync())!.Split(' ');
        using var channels = EventChannels.Open();
        using VchanStream client = VchanClient.Connect(channels, DomainId.Zero, new GrantRef(uint.Parse(words[0])), new EvtchnPort(uint.Parse(words[1])));
        byte[] bytes = new byte[100];
        Equal(10, await client.ReadAsync(bytes), "bytes before the death");
        Task<int> read = client.ReadAsync(bytes).AsTask();
        process.Kill();
        Equal(0, await read.WaitAsync(s_deadline), "the end");
        await process.WaitForExitAsync();
    }

    private static async Task NothingLeft()
    {
        await Once();
        int files = Directory.GetFiles("/proc/self/fd").Length;
        int maps = Mappings();
        for (int i = 0; i < 30; i++)
            await Once();
        Equal(files, Directory.GetFiles("/proc/self/fd").Length, "open files");
        Equal(maps, Mappings(), "mappings of Xen's devices");

        static async Task Once()
        {
            using var channels = EventChannels.Open();
            using var server = VchanServer.Create(channels, DomainId.Zero);
            using VchanStream client = VchanClient.Connect(channels, DomainId.Zero, server.RingRef, server.Port);
            await client.WriteAsync(new byte[] { 1 });
            Equal(1, await server.Stream.ReadAsync(new byte[10]), "byte");
        }

        static int Mappings() => File.ReadLines("/proc/self/maps").Count(line => line.Contains("/dev/xen/", StringComparison.Ordinal));
    }
}
