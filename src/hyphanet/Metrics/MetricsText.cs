using System.Globalization;
using System.Text;
using Hypha.Net.Guests;
using Hypha.Net.Telemetry;

namespace Hypha.NetworkDaemon.Metrics;

/// <summary>What guests have done, in Prometheus' text format, version 0.0.4.</summary>
internal sealed class MetricsText
{
    private readonly StringBuilder _text = new();
    private readonly IReadOnlyList<(string Labels, GuestStatistics Of)> _guests;

    private MetricsText(IEnumerable<(ServedGuest Guest, GuestStatistics Statistics)> guests) =>
        _guests = [.. guests.Select(one => (LabelsOf(one.Guest), one.Statistics))];

    public static string Of(IEnumerable<(ServedGuest Guest, GuestStatistics Statistics)> guests)
    {
        var text = new MetricsText(guests);
        text.WriteAll();
        return text._text.ToString();
    }

    private void WriteAll()
    {
        Begin("hypha_network_guests", "gauge", "Guests that are served.");
        Line("hypha_network_guests", "", (ulong)_guests.Count);
        Write("hypha_network_frames_total", "counter", "Frames from (in) and to (out) the guest.", of =>
            [("direction=\"in\"", of.Frames.FramesIn), ("direction=\"out\"", of.Output.Frames)]);
        Write("hypha_network_bytes_total", "counter", "Bytes of these frames.", of =>
            [("direction=\"in\"", of.Frames.BytesIn), ("direction=\"out\"", of.Output.Bytes)]);
        Write("hypha_network_forwarded_frames_total", "counter", "Frames of the guest that went to other members of its network.", of => [("", of.Frames.Forwarded)]);
        Write("hypha_network_dropped_frames_total", "counter", "Frames that went no further.", of =>
        [
            ("reason=\"malformed\"", of.Frames.Malformed),
            ("reason=\"spoofed\"", of.Frames.Spoofed),
            ("reason=\"denied\"", of.Frames.Denied),
            ("reason=\"unsupported\"", of.Frames.Unsupported),
            ("reason=\"ignored\"", of.Frames.Ignored),
            ("reason=\"not_forwarded\"", of.Frames.ForwardFailures),
            ("reason=\"link_full\"", of.Output.Full),
            ("reason=\"group_frames_over_limit\"", of.Frames.GroupFramesOverLimit),
        ]);
        Write("hypha_network_groups_refused_total", "counter", "Multicast groups that the guest did not join, since it is in as many as it may be.", of => [("", of.Frames.GroupsOverLimit)]);
        Write("hypha_network_flows", "gauge", "TCP connections, UDP ports and echo identifiers in use.", of => PerProtocol(of, flows => (ulong)flows.Flows));
        Write("hypha_network_flows_opened_total", "counter", "Those that there were.", of => PerProtocol(of, flows => flows.Opened));
        Write("hypha_network_flows_refused_total", "counter", "Those that did not come to be.", of =>
        [
            .. PerProtocol(of, flows => flows.OverLimit, ",reason=\"over_limit\""),
            .. PerProtocol(of, flows => flows.NoDescriptor, ",reason=\"no_descriptor\""),
            ("protocol=\"tcp\",reason=\"failed\"", of.Tcp.Failed),
        ]);
        Write("hypha_network_unexpected_datagrams_total", "counter", "Datagrams from somebody whom the guest has not spoken to.", of =>
            [("protocol=\"udp\"", of.Udp.Unexpected), ("protocol=\"echo\"", of.Echo.Unexpected)]);
        Write("hypha_network_tcp_retransmissions_total", "counter", "Segments sent to the guest again.", of => [("", of.Tcp.Retransmissions)]);
        Write("hypha_network_dns_queries_total", "counter", "Questions of the guest.", of => [("", of.Dns.Queries)]);
        Write("hypha_network_dns_answers_total", "counter", "Answers, by who gave them.", of => [("by=\"gateway\"", of.Dns.Local), ("by=\"server\"", of.Dns.Answered)]);
        Write("hypha_network_dns_failures_total", "counter", "Questions without an answer, and answers to no question.", of =>
        [
            ("reason=\"no_answer\"", of.Dns.Failed),
            ("reason=\"malformed\"", of.Dns.Malformed),
            ("reason=\"over_limit\"", of.Dns.OverLimit),
            ("reason=\"lie\"", of.Dns.Lies),
        ]);
    }

    /// <summary>A metric's samples stand together, of all guests.</summary>
    private void Write(string name, string type, string help, Func<GuestStatistics, IEnumerable<(string Labels, ulong Value)>> samples)
    {
        Begin(name, type, help);
        foreach (var (guest, of) in _guests)
        {
            foreach (var (labels, value) in samples(of))
                Line(name, labels.Length == 0 ? guest : $"{guest},{labels}", value);
        }
    }

    private void Begin(string name, string type, string help) => _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private void Line(string name, string labels, ulong value) =>
        _text.Append(CultureInfo.InvariantCulture, $"{name}{(labels.Length == 0 ? "" : $"{{{labels}}}")} {value}\n");

    private static IEnumerable<(string, ulong)> PerProtocol(GuestStatistics of, Func<FlowStatistics, ulong> value, string more = "") =>
        [($"protocol=\"tcp\"{more}", value(of.Tcp)), ($"protocol=\"udp\"{more}", value(of.Udp)), ($"protocol=\"echo\"{more}", value(of.Echo))];

    /// <summary>Interfaces are each one's own; names are for people.</summary>
    private static string LabelsOf(in ServedGuest guest) =>
        $"interface=\"{Escaped(guest.Interface)}\",name=\"{Escaped(guest.Attachment.Configuration.Names.FirstOrDefault() ?? "")}\",network=\"{Escaped(guest.Network)}\"";

    private static string Escaped(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
