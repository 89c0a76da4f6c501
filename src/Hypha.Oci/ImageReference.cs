using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Hypha.Oci;

/// <summary>
/// The name of an image in a registry: <c>[HOST[:PORT]/]PATH[:TAG][@DIGEST]</c>, with docker's defaults: "busybox" is
/// "docker.io/library/busybox:latest".
/// </summary>
/// <remarks>Grammar: distribution's reference package as documented in the OCI distribution-spec ("name", "reference").</remarks>
public sealed partial record ImageReference
{
    public const string DockerHub = "docker.io";
    private const int MaxRepository = 255; // characters, distribution-spec
    private const int MaxReference = 1024;

    private ImageReference(string host, string repository, string? tag, Sha256Digest? digest) =>
        (Host, Repository, Tag, Digest) = (host, repository, tag, digest);

    /// <summary>Registry with port: "docker.io", "localhost:5000", "[::1]:5000".</summary>
    public string Host { get; }

    /// <summary>Path within the registry: "library/busybox".</summary>
    public string Repository { get; }

    /// <summary>Null only when a digest stands without a tag.</summary>
    public string? Tag { get; }

    /// <summary>Decides when present; the tag is then for the reader alone.</summary>
    public Sha256Digest? Digest { get; }

    /// <summary>What follows ".../manifests/" in a request.</summary>
    public string Selector => Digest?.ToString() ?? Tag!;

    /// <exception cref="ImageException">Says what is wrong with the text.</exception>
    public static ImageReference Parse(string text) => TryParse(text, out ImageReference? reference, out string? reason)
        ? reference
        : throw new ImageException($"{Printable.Quote(text)} is not an image's name: {reason}");

    public static bool TryParse(string text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out string? reason)
    {
        reference = null;
        reason = null;
        if (text.Length is 0 or > MaxReference)
        {
            reason = text.Length == 0 ? "it is empty" : $"it is longer than {MaxReference} characters";
            return false;
        }

        Sha256Digest? digest = null;
        string rest = text;
        int at = rest.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            if (!Sha256Digest.TryParse(rest[(at + 1)..], out Sha256Digest parsed))
            {
                reason = "what follows the @ is not a digest (sha256: and 64 hexadecimal digits)";
                return false;
            }
            digest = parsed;
            rest = rest[..at];
        }

        string? tag = null;
        int colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/'))
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (!TagPattern().IsMatch(tag))
            {
                reason = $"the tag {Printable.Quote(tag)} must be up to 128 letters, digits, underscores, dots and dashes";
                return false;
            }
        }

        (string host, string repository) = SplitHost(rest);
        if (!HostPattern().IsMatch(host))
            reason = $"{Printable.Quote(host)} is not a registry's host";
        else if (repository.Length > MaxRepository)
            reason = $"the path is longer than {MaxRepository} characters";
        else if (!RepositoryPattern().IsMatch(repository))
            reason = repository.Any(char.IsAsciiLetterUpper) ? "the path must be in lower case" : $"the path {Printable.Quote(repository)} is malformed";
        if (reason is not null)
            return false;

        reference = new ImageReference(host, repository, tag ?? (digest is null ? "latest" : null), digest);
        return true;
    }

    /// <summary>What is named by content in the same repository.</summary>
    public ImageReference WithoutTag(Sha256Digest digest) => new(Host, Repository, null, digest);

    /// <summary>The full name; parses to an equal reference.</summary>
    public override string ToString() => $"{Host}/{Repository}{(Tag is null ? "" : $":{Tag}")}{(Digest is null ? "" : $"@{Digest}")}";

    // Docker's rule: what stands before the first slash is a host when it looks like one.
    private static (string Host, string Repository) SplitHost(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? "" : name[..slash];
        bool isHost = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal)
            || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        (string host, string path) = isHost ? (first, name[(slash + 1)..]) : (DockerHub, name);
        if (host == "index.docker.io")
            host = DockerHub;
        return host == DockerHub && !path.Contains('/', StringComparison.Ordinal) ? (host, "library/" + path) : (host, path);
    }

    [GeneratedRegex(@"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*)(:[0-9]{1,5})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostPattern();

    [GeneratedRegex(@"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex RepositoryPattern();

    [GeneratedRegex(@"^\w[\w.-]{0,127}\z", RegexOptions.CultureInvariant | RegexOptions.ECMAScript)]
    private static partial Regex TagPattern();
}
