using System.Text.RegularExpressions;

namespace Hypha.Containers.Records;

/// <summary>Names that people give: docker's rule for containers and networks, RFC 1123 for host names.</summary>
public static partial class ContainerName
{
    public static void Check(string name) => Check(name, "container");

    /// <param name="whose">"container", "network".</param>
    public static void Check(string name, string whose)
    {
        if (!Name().IsMatch(name))
        {
            throw new ContainerException(ContainerError.InvalidArgument,
                $"\"{Shown(name)}\" is no {whose} name: letters, digits, '_', '.' and '-' are allowed, at most 128, a letter or digit first.");
        }
    }

    public static void CheckHostname(string hostname)
    {
        if (hostname.Length > 63 || !Hostname().IsMatch(hostname))
        {
            throw new ContainerException(ContainerError.InvalidArgument,
                $"\"{Shown(hostname)}\" is no host name: letters, digits, '.' and '-' are allowed, at most 63, and no label begins or ends with '-'.");
        }
    }

    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "…";

    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\A[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*\z")]
    private static partial Regex Hostname();
}
