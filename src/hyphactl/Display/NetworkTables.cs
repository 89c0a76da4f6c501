using System.Globalization;
using Hypha.Protocol.Network;

namespace Hypha.Ctl.Display;

/// <summary>What <c>hyphactl network</c> prints for a person.</summary>
internal static class NetworkTables
{
    /// <summary>The name that a person gave it, or what else it is called.</summary>
    public static string NameOf(GuestInfo guest) => guest.Names.Count > 0 ? guest.Names[0] : guest.Interface;

    public static void PrintStatistics(IEnumerable<GuestInfo> guests)
    {
        var table = new TextTable("NAME", "DOMAIN", "NETWORK", "ADDRESS", "SENT", "RECEIVED", "TCP", "UDP", "ECHO", "QUERIES", "DROPPED");
        foreach (GuestInfo guest in guests)
        {
            table.Add(NameOf(guest), guest.Domain == 0 ? "" : Number(guest.Domain), guest.Network, AddressOf(guest),
                Amounts.Bytes(guest.Frames.BytesIn), Amounts.Bytes(guest.Frames.BytesOut),
                Number(guest.Tcp.Flows), Number(guest.Udp.Flows), Number(guest.Echo.Flows), Number(guest.Dns.Queries), string.Join(", ", Drops(guest)));
        }
        table.Print();
    }

    public static void PrintFlows(IEnumerable<FlowInfo> flows, IReadOnlyDictionary<string, string> names)
    {
        var table = new TextTable("NAME", "PROTOCOL", "CONTAINER", "REMOTE", "STATE", "SENT", "RECEIVED", "AGE", "IDLE");
        foreach (FlowInfo flow in flows)
        {
            table.Add(names.GetValueOrDefault(flow.Interface, flow.Interface), flow.Protocol, End(flow.Guest, flow.GuestPort), End(flow.Remote, flow.RemotePort), flow.State,
                Amounts.Bytes(flow.BytesFromGuest), Amounts.Bytes(flow.BytesToGuest), Seconds(flow.AgeMs), Seconds(flow.IdleMs));
        }
        table.Print();
    }

    /// <summary>What changed between two moments, the busiest first.</summary>
    public static void PrintRates(IEnumerable<GuestInfo> before, IEnumerable<GuestInfo> now, double seconds)
    {
        var known = before.ToDictionary(guest => guest.Interface, guest => guest.Frames, StringComparer.Ordinal);
        var table = new TextTable("NAME", "NETWORK", "SENT/S", "RECEIVED/S", "FRAMES OUT/S", "FRAMES IN/S", "TCP", "UDP", "ECHO");
        foreach (var (guest, old) in now.Select(guest => (guest, known.GetValueOrDefault(guest.Interface, guest.Frames)))
            .OrderByDescending(one => Gain(one.guest.Frames.BytesIn, one.Item2.BytesIn) + Gain(one.guest.Frames.BytesOut, one.Item2.BytesOut)))
        {
            table.Add(NameOf(guest), guest.Network,
                Amounts.Bytes(Gain(guest.Frames.BytesIn, old.BytesIn) / seconds), Amounts.Bytes(Gain(guest.Frames.BytesOut, old.BytesOut) / seconds),
                Rate(guest.Frames.FramesIn, old.FramesIn), Rate(guest.Frames.FramesOut, old.FramesOut),
                Number(guest.Tcp.Flows), Number(guest.Udp.Flows), Number(guest.Echo.Flows));
        }
        table.Print();

        string Rate(ulong after, ulong earlier) => (Gain(after, earlier) / seconds).ToString("0", CultureInfo.InvariantCulture);
    }

    /// <summary>Frames, flows and questions that came to nothing, by reason.</summary>
    private static IEnumerable<string> Drops(GuestInfo guest)
    {
        (ulong Count, string Reason)[] drops =
        [
            (guest.Frames.Malformed, "malformed"),
            (guest.Frames.Spoofed, "spoofed"),
            (guest.Frames.Denied, "denied"),
            (guest.Frames.Unsupported, "unsupported"),
            (guest.Frames.Ignored, "ignored"),
            (guest.Frames.ForwardFailures, "not forwarded"),
            (guest.Frames.LinkFull, "link full"),
            (guest.Tcp.OverLimit + guest.Udp.OverLimit + guest.Echo.OverLimit + guest.Dns.OverLimit + guest.Frames.GroupFramesOverLimit + guest.Frames.GroupsOverLimit, "over limit"),
            (guest.Tcp.NoDescriptor + guest.Udp.NoDescriptor + guest.Echo.NoDescriptor, "no descriptor"),
            (guest.Udp.Unexpected + guest.Echo.Unexpected, "unexpected"),
        ];
        return drops.Where(drop => drop.Count > 0).Select(drop => $"{Number(drop.Count)} {drop.Reason}");
    }

    /// <summary>Counters of a guest that came back begin anew.</summary>
    private static double Gain(ulong after, ulong earlier) => after >= earlier ? after - earlier : after;

    private static string AddressOf(GuestInfo guest)
    {
        string address = guest.Address.Length > 0 ? guest.Address : guest.Address6;
        return address.Split('/')[0];
    }

    /// <param name="port">0: none, as of an echo's other end.</param>
    private static string End(string address, uint port) =>
        port == 0 || address.Length == 0 ? address : string.Create(CultureInfo.InvariantCulture, $"{(address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address)}:{port}");

    private static string Seconds(ulong milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1e3:0.0} s");

    private static string Number(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
