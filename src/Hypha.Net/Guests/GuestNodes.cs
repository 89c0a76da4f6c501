using Hypha.Net.Gateway;
using Hypha.Net.Nat;
using Hypha.Net.Policy;
using Hypha.Net.Wire;
using Hypha.XenStore;

namespace Hypha.Net.Guests;

/// <summary>A guest's place on a network, as hyphad writes it: /local/domain/N/hypha/network/M/ (ARCHITECTURE.md). The host alone writes there.</summary>
/// <param name="Network">Its name.</param>
public sealed record GuestNodes(string Network, GuestConfiguration Configuration)
{
    public static StorePath PathOf(int domain, int handle) => StorePath.Domain(domain) / "hypha/network" / handle;

    /// <returns>Null when there is nothing, or not enough of it.</returns>
    /// <exception cref="FormatException">A node's value is not of its form; it is named.</exception>
    public static async Task<GuestNodes?> ReadAsync(XenStoreClient store, int domain, int handle, CancellationToken cancellation)
    {
        StorePath path = PathOf(domain, handle);
        if (await store.TryReadAsync(path / "network", cancellation).ConfigureAwait(false) is not { Length: > 0 } network)
            return null;
        return new GuestNodes(network, new GuestConfiguration
        {
            Mac = Parse<MacAddress>("mac", await Value("mac").ConfigureAwait(false), MacAddress.TryParse),
            V4 = Parse<Subnet>("address", await Value("address").ConfigureAwait(false), Subnet.TryParse),
            GatewayV4 = Parse<IpAddress>("gateway", await Value("gateway").ConfigureAwait(false), IpAddress.TryParse),
            V6 = Parse<Subnet>("address6", await Value("address6").ConfigureAwait(false), Subnet.TryParse),
            GatewayV6 = Parse<IpAddress>("gateway6", await Value("gateway6").ConfigureAwait(false), IpAddress.TryParse),
            Mtu = StoreValue.TryParse(await Value("mtu").ConfigureAwait(false), 1280, 65_520, out int mtu) ? mtu : null,
            Names = Words(await Value("names").ConfigureAwait(false)),
            Published = [.. Words(await Value("publish").ConfigureAwait(false)).Select(word => Parse<PublishedPort>("publish", word, PublishedPort.TryParse)!.Value)],
            Policy = NetworkPolicy.Parse(await Value("policy").ConfigureAwait(false)),
            Internal = await Value("internal").ConfigureAwait(false) is not ("" or "0"),
            Dns = [.. Words(await Value("dns").ConfigureAwait(false)).Select(word => Parse<IpAddress>("dns", word, IpAddress.TryParse)!.Value)],
        });

        async Task<string> Value(string name) => await store.TryReadAsync(path / name, cancellation).ConfigureAwait(false) ?? "";

        T? Parse<T>(string name, string text, Parser<T> parser) where T : struct =>
            text.Length == 0 ? null : parser(text, out T value) ? value : throw new FormatException($"{path / name} is \"{StoreValue.Printable(text)}\"");
    }

    private delegate bool Parser<T>(ReadOnlySpan<char> text, out T value);

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
