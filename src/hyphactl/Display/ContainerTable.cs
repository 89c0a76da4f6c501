using System.Globalization;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Display;

/// <summary>What <c>hyphactl list</c> prints for a person.</summary>
internal static class ContainerTable
{
    private const int CommandWidth = 30;

    public static void Print(IEnumerable<Container> containers, DateTimeOffset now)
    {
        var table = new TextTable("ID", "NAME", "IMAGE", "STATUS", "COMMAND", "CREATED", "CPUS", "MEMORY", "DOMAIN");
        foreach (var container in containers)
        {
            table.Add(
                ShortId(container.Id),
                container.Name,
                container.Image,
                Status(container, now),
                Shortened(string.Join(' ', container.Command)),
                UnixTime.OrNull(container.CreatedUnixMs) is { } created ? $"{Amounts.Span(now - created)} ago" : "",
                container.Vcpus.ToString(CultureInfo.InvariantCulture),
                Amounts.Bytes(container.MemoryMib * 1024.0 * 1024.0),
                container.Domain == 0 ? "" : container.Domain.ToString(CultureInfo.InvariantCulture));
        }
        table.Print();
    }

    /// <summary>12 digits of the UUID, which every command takes.</summary>
    public static string ShortId(string id)
    {
        string digits = id.Replace("-", "", StringComparison.Ordinal);
        return digits.Length > 12 ? digits[..12] : digits;
    }

    /// <summary>"Up 3 minutes", "Exited (1) 5 seconds ago".</summary>
    public static string Status(Container container, DateTimeOffset now) => container.State switch
    {
        ContainerState.Creating => "Creating",
        ContainerState.Running => UnixTime.OrNull(container.StartedUnixMs) is { } started ? $"Up {Amounts.Span(now - started)}" : "Up",
        ContainerState.Exited => string.Create(CultureInfo.InvariantCulture, $"Exited ({container.Exit?.Code ?? 0}){Since(container, now)}"),
        ContainerState.Failed => $"Failed{Since(container, now)}",
        _ => "Unknown",
    };

    private static string Since(Container container, DateTimeOffset now) =>
        UnixTime.OrNull(container.FinishedUnixMs) is { } finished ? $" {Amounts.Span(now - finished)} ago" : "";

    private static string Shortened(string command) => command.Length <= CommandWidth ? command : command[..(CommandWidth - 1)] + "…";
}
