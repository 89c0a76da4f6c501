using System.Globalization;
using System.Text.Json;

namespace Hypha.Oci.Manifests;

/// <summary>An image's configuration and the digests of its layers' archives (OCI image-spec, config.md).</summary>
internal static class ConfigReader
{
    private const int MaxStrings = 10_000; // in any of its lists

    internal static (ImageConfig Config, IReadOnlyList<Sha256Digest> DiffIds) Read(ReadOnlySpan<byte> json, string what)
    {
        ConfigDocument document = DocumentParser.Parse(json, DocumentContext.Default.ConfigDocument, what);
        string os = document.Os ?? "", architecture = document.Architecture ?? "";
        if (os is not ("linux" or "") || architecture is not ("amd64" or ""))
            throw new ImageException($"the image is for {Printable.Quote($"{os}/{architecture}")}, and this host runs linux/amd64");
        RunDocument run = document.Config ?? new RunDocument();
        var config = new ImageConfig
        {
            Os = os,
            Architecture = architecture,
            Entrypoint = Strings(run.Entrypoint, "Entrypoint", what),
            Cmd = Strings(run.Cmd, "Cmd", what),
            Env = Strings(run.Env, "Env", what),
            WorkingDir = Text(run.WorkingDir ?? "", "WorkingDir", what),
            User = CheckUser(Text(run.User ?? "", "User", what)),
            StopSignal = Text(run.StopSignal ?? "", "StopSignal", what),
            ExposedPorts = Strings(run.ExposedPorts?.Keys, "ExposedPorts", what),
            Volumes = Strings(run.Volumes?.Keys, "Volumes", what),
            Labels = run.Labels ?? [],
        };
        if (document.Rootfs is not { Type: "layers", DiffIds: { } diffIds })
            throw new ImageException($"{what} has no list of layers (rootfs.diff_ids)");
        return (config, [.. diffIds.Select(d => Sha256Digest.Parse(d, $"a layer's digest in {what}"))]);
    }

    // These become arguments and environment of a process: a NUL would cut them.
    private static List<string> Strings(IEnumerable<string>? list, string field, string what)
    {
        var read = new List<string>();
        foreach (string? text in list ?? [])
        {
            if (read.Count >= MaxStrings)
                throw new ImageException($"{field} in {what} has more than {MaxStrings} parts");
            read.Add(Text(text ?? throw new ImageException($"{field} in {what} holds a null"), field, what));
        }
        return read;
    }

    private static string Text(string text, string field, string what) =>
        text.Contains('\0', StringComparison.Ordinal) ? throw new ImageException($"{field} in {what} holds a NUL") : text;

    // A number that wraps would become root (CVE-2024-40635).
    private static string CheckUser(string user)
    {
        foreach (string part in user.Split(':', 2))
        {
            if (part.Length > 0 && part.All(char.IsAsciiDigit)
                && (!long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number > int.MaxValue))
                throw new ImageException($"the image's user {Printable.Quote(user)} is beyond 2147483647");
        }
        return user;
    }
}
