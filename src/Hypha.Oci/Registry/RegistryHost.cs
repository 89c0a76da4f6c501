using System.Net;

namespace Hypha.Oci.Registry;

/// <summary>Where a registry is reached.</summary>
internal static class RegistryHost
{
    /// <summary>Plain HTTP only to this machine and to hosts that were named insecure; docker.io answers at another name.</summary>
    internal static Uri BaseUri(string host, IReadOnlyList<string> insecure)
    {
        if (host == ImageReference.DockerHub)
            return new Uri("https://registry-1.docker.io/");
        string scheme = IsLoopback(host) || insecure.Contains(host, StringComparer.OrdinalIgnoreCase) ? "http" : "https";
        return Uri.TryCreate($"{scheme}://{host}/", UriKind.Absolute, out Uri? uri) ? uri : throw new ImageException($"{Printable.Quote(host)} is not a registry's host");
    }

    private static bool IsLoopback(string host)
    {
        if (!Uri.TryCreate($"http://{host}/", UriKind.Absolute, out Uri? uri))
            return false;
        return uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
    }
}
