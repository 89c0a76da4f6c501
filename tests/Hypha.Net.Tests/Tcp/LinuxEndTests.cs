using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Hypha.Net.Gateway;
using Hypha.Net.Link;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>
/// Our TCP and Linux's, by a link that does whatever a link can do: what one sends is what the other gets. HYPHA_TCP_LINUX_SEEDS asks for more seeds than
/// usual, HYPHA_TCP_LINUX_FIRST_SEED for others.
/// </summary>
public sealed class LinuxEndTests
{
    private const int Port = 7;
    private const int Connections = 8;

    private static readonly int s_first = Number("HYPHA_TCP_LINUX_FIRST_SEED", 0), s_seeds = Number("HYPHA_TCP_LINUX_SEEDS", 3);

    [Fact]
    public void Whatever_the_link_does_Linux_gets_what_was_sent_and_so_do_we()
    {
        for (int seed = s_first; seed < s_first + s_seeds; seed++)
        {
            var random = new Random(seed);
            Talk(seed, Faults.Of(random), Connections, length: random.Next(1, 512 * 1024));
        }
    }

    [Fact]
    public void Sixty_four_megabytes_go_each_way_by_a_link_that_is_not_sound() => Talk(seed: 1, new Faults(0.0005, 0.0005, 0.001, 0.0005), connections: 1, 64 << 20);

    /// <summary>Connections from the guest to the world and from the world to the guest, each way by both families, with an echo at the other end.</summary>
    private static void Talk(int seed, Faults faults, int connections, int length) => Namespace.Run(() =>
    {
        using var guest = new OtherNamespace();
        Namespace.Shell($"""
            set -e
            ip link add vguest type veth peer name eth0 netns {guest.Name}
            ip link set vguest up
            ip -n {guest.Name} link set lo up
            ip -n {guest.Name} addr add 10.75.0.2/24 dev eth0; ip -n {guest.Name} -6 addr add fd75::2/64 dev eth0 nodad
            ip -n {guest.Name} link set eth0 gso_max_segs 1 up
            ip -n {guest.Name} route add default via 10.75.0.1; ip -n {guest.Name} -6 route add default via fd75::1
            """);
        using var loop = new EventLoop();
        Assert.True(Subnet.TryParse("10.75.0.2/24", out Subnet v4) & Subnet.TryParse("fd75::2/64", out Subnet v6) & IpAddress.TryParse("10.75.0.1", out IpAddress gateway)
            & IpAddress.TryParse("fd75::1", out IpAddress gateway6) & PublishedPort.TryParse($"7777:{Port}", out PublishedPort published));
        var link = new BadWire(loop, new InterfaceLink(loop, "vguest"), new Random(seed), faults);
        var said = new ConcurrentQueue<string>();
        using (var attachment = new Attachment(loop, link, new GuestConfiguration { V4 = v4, V6 = v6, GatewayV4 = gateway, GatewayV6 = gateway6, Published = [published] }, log: said.Enqueue))
        {
            attachment.Publish();
            Task talk = Task.CompletedTask;
            // The world is the host itself here: what it opens is of the calling thread's namespace.
            Socket[] servers = [Listen(IPAddress.IPv6Any, Port), guest.Run(() => Listen(IPAddress.IPv6Any, Port))];
            (Socket Socket, IPEndPoint To)[] clients = [.. Enumerable.Range(0, connections).Select(i => (i % 4) switch
            {
                0 => (guest.Run(() => Client(AddressFamily.InterNetwork)), new IPEndPoint(IPAddress.Parse("192.0.2.1"), Port)),
                1 => (Client(AddressFamily.InterNetwork), new IPEndPoint(IPAddress.Loopback, 7777)),
                2 => (guest.Run(() => Client(AddressFamily.InterNetworkV6)), new IPEndPoint(IPAddress.Parse("2001:db8::1"), Port)),
                _ => (Client(AddressFamily.InterNetworkV6), new IPEndPoint(IPAddress.IPv6Loopback, 7777)),
            })];
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            foreach (Socket server in servers)
                _ = EchoAll(server, limit.Token);
            talk = Task.Run(async () =>
            {
                try
                {
                    await Task.WhenAll(clients.Select((client, i) => Exchange(client.Socket, client.To, seed * 1_000 + i, length, limit.Token)));
                }
                finally
                {
                    loop.Stop();
                }
            });
            loop.Run();
            limit.Cancel();
            foreach (Socket socket in servers.Concat(clients.Select(client => client.Socket)))
                socket.Dispose();
            if (talk.Exception?.GetBaseException() is { } error)
                Assert.Fail($"seed {seed}, {faults}, {length} bytes: {error.GetType().Name}: {error.Message}; {string.Join("; ", said)}");
        }
        Assert.True(link.Suffered > 0 || length < 100_000);
        Assert.Equal(0, loop.Timers.Count);
    });

    private static async Task Exchange(Socket socket, IPEndPoint to, int seed, int length, CancellationToken cancellation)
    {
        await socket.ConnectAsync(to, cancellation);
        Task sent = Task.Run(async () =>
        {
            var source = new Random(seed);
            byte[] bytes = new byte[16_384];
            for (int left = length; left > 0; left -= bytes.Length)
            {
                source.NextBytes(bytes);
                for (int at = 0, size = Math.Min(left, bytes.Length); at < size;)
                    at += await socket.SendAsync(bytes.AsMemory(at, size - at), cancellation);
            }
            socket.Shutdown(SocketShutdown.Send);
        }, cancellation);
        var same = new Random(seed);
        byte[] expected = new byte[16_384], got = new byte[16_384];
        int total = 0;
        for (int n; (n = await socket.ReceiveAsync(got, cancellation)) > 0;)
        {
            for (int i = 0; i < n; i++, total++)
            {
                if (total % expected.Length == 0)
                    same.NextBytes(expected);
                if (got[i] != expected[total % expected.Length])
                    throw new InvalidDataException($"byte {total} is {got[i]}, not {expected[total % expected.Length]}");
            }
        }
        await sent;
        if (total != length)
            throw new InvalidDataException($"{total} bytes came back");
    }

    private static async Task EchoAll(Socket server, CancellationToken cancellation)
    {
        try
        {
            while (true)
                _ = Echo(await server.AcceptAsync(cancellation), cancellation);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the end of the test
        }
    }

    private static async Task Echo(Socket socket, CancellationToken cancellation)
    {
        using (socket)
        {
            try
            {
                byte[] bytes = new byte[16_384];
                for (int n; (n = await socket.ReceiveAsync(bytes, cancellation)) > 0;)
                {
                    for (int at = 0; at < n;)
                        at += await socket.SendAsync(bytes.AsMemory(at, n - at), cancellation);
                }
                socket.Shutdown(SocketShutdown.Send);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException)
            {
                // its peer tells
            }
        }
    }

    private static Socket Client(AddressFamily family) => new(family, SocketType.Stream, ProtocolType.Tcp);

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen(64);
        return socket;
    }

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out int number) ? number : otherwise;
}
