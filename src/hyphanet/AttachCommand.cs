using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Hypha.Net.Gateway;
using Hypha.Net.Guests;
using Hypha.Net.Link;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Policy;
using Hypha.Net.Wire;
using Hypha.NetworkDaemon.Control;
using Hypha.NetworkDaemon.Metrics;

namespace Hypha.NetworkDaemon;

/// <summary><c>hyphanet attach</c>: the gateway for the one guest behind an interface, in the foreground.</summary>
internal static class AttachCommand
{
    private delegate bool Parser<T>(ReadOnlySpan<char> text, out T value);

    public static Command Build()
    {
        var nic = new Option<string>("--interface") { Description = "the host's end of the guest's link", HelpName = "NAME", Required = true };
        var address = Parsed<Subnet>("--address", "the guest's IPv4 address and its network's prefix length", "A/N", Subnet.TryParse);
        var gateway = Parsed<IpAddress>("--gateway", "the gateway's IPv4 address", "A", IpAddress.TryParse);
        var address6 = Parsed<Subnet>("--address6", "the guest's IPv6 address and its network's prefix length", "A/N", Subnet.TryParse);
        var gateway6 = Parsed<IpAddress>("--gateway6", "the gateway's IPv6 address", "A", IpAddress.TryParse);
        var mac = Parsed<MacAddress>("--mac", "the guest's MAC; without it whatever it uses", "MAC", MacAddress.TryParse);
        var mtu = new Option<int?>("--mtu") { Description = "bytes of an IP packet; without it the interface's", HelpName = "N" };
        mtu.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1280 or > 65_520)
                result.AddError("--mtu is from 1280 to 65520");
        });

        var publish = new Option<PublishedPort[]>("-p", "--publish")
        {
            Description = "lead a port of the host to one of the guest; ranges of one length, too",
            HelpName = "[IP:]HOST:GUEST[/udp]",
            CustomParser = result => [.. result.Tokens.Select(token =>
            {
                if (!PublishedPort.TryParse(token.Value, out PublishedPort port))
                    result.AddError($"\"{token.Value}\" is no published port: give [IP:]HOST:GUEST[/udp]");
                return port;
            })],
        };

        var dns = new Option<IpAddress[]>("--dns")
        {
            Description = "a name server to ask in place of the host's; may be repeated",
            HelpName = "A",
            CustomParser = result => [.. result.Tokens.Select(token =>
            {
                if (!IpAddress.TryParse(token.Value, out IpAddress server))
                    result.AddError($"\"{token.Value}\" is no value for --dns: give an IP address");
                return server;
            })],
        };

        var policy = new Option<FileInfo>("--policy") { Description = "a file of rules: what the guest may reach, who may reach it, and how much", HelpName = "FILE" };
        var isInternal = new Option<bool>("--internal") { Description = "no way out: the guest reaches the gateway alone" };

        var control = new Option<string>("--control") { Description = "a unix socket on which it says what it does, for hyphactl network stats --control PATH", HelpName = "PATH" };
        var metrics = MetricsOption.New();

        var command = new Command("attach", "Serves the one guest behind an interface until SIGTERM; prints \"ready\" once it answers.")
        {
            nic, address, gateway, address6, gateway6, mac, mtu, publish, dns, policy, isInternal, control, metrics,
        };
        command.Validators.Add(result =>
        {
            Pair(result, address, gateway, v4: true);
            Pair(result, address6, gateway6, v4: false);
            if (result.GetResult(address) is null && result.GetResult(address6) is null)
                result.AddError("give the guest an address: --address A/N --gateway A, or --address6 A/N --gateway6 A");
        });
        command.SetAction(result => Run(result.GetValue(nic)!, result.GetValue(mtu), result.GetValue(control), result.GetValue(metrics), new GuestConfiguration
        {
            Mac = result.GetValue(mac),
            V4 = result.GetValue(address),
            V6 = result.GetValue(address6),
            GatewayV4 = result.GetValue(gateway),
            GatewayV6 = result.GetValue(gateway6),
            Published = result.GetValue(publish) ?? [],
            Dns = result.GetValue(dns) ?? [],
            Internal = result.GetValue(isInternal),
            Policy = result.GetValue(policy) is { } file ? ReadPolicy(file.FullName) : NetworkPolicy.None,
        }));
        return command;
    }

    private static int Run(string nic, int? mtu, string? control, IPEndPoint? metrics, GuestConfiguration configuration)
    {
        using var loop = new EventLoop();
        bool gone = false;
        var link = new InterfaceLink(loop, nic, mtu, gone: () =>
        {
            gone = true;
            loop.Stop();
        });
        using var attachment = new Attachment(loop, link, configuration, log: Console.Error.WriteLine);
        attachment.Publish();
        attachment.Announce();
        var view = new GuestView(loop, () => [new ServedGuest(nic, 0, "", attachment)]);
        using ControlSocket? socket = control is null ? null : new ControlSocket(control, view);
        using MetricsServer? server = metrics is null ? null : new MetricsServer(metrics, view);
        using var signals = new StopSignals(loop);
        Console.Out.WriteLine("ready");
        loop.Run();
        return gone ? throw new IOException($"the interface {nic} was removed: there is no guest behind it any more") : 0;
    }

    private static NetworkPolicy ReadPolicy(string path)
    {
        try
        {
            return NetworkPolicy.Parse(File.ReadAllText(path));
        }
        catch (FormatException error)
        {
            throw new IOException($"the policy {path} cannot be used: {error.Message}", error);
        }
    }

    private static void Pair(CommandResult result, Option<Subnet?> address, Option<IpAddress?> gateway, bool v4)
    {
        Subnet? subnet = result.GetResult(address) is null ? null : result.GetValue(address);
        IpAddress? router = result.GetResult(gateway) is null ? null : result.GetValue(gateway);
        if (subnet is null && router is null)
            return;
        if (subnet is not { } own || router is not { } via)
            result.AddError($"{address.Name} and {gateway.Name} go together");
        else if (own.Address.IsV4 != v4 || via.IsV4 != v4)
            result.AddError($"{address.Name} and {gateway.Name} are IPv{(v4 ? 4 : 6)} addresses");
        else if (!own.Contains(via) || own.Address == via)
            result.AddError($"the gateway {via} must be another address of {own.Network}/{own.Length}");
    }

    private static Option<T?> Parsed<T>(string name, string description, string shape, Parser<T> parser) where T : struct => new(name)
    {
        Description = description,
        HelpName = shape,
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (parser(text, out T value))
                return value;
            result.AddError($"\"{text}\" is no value for {name}: give {shape}");
            return null;
        },
    };
}
