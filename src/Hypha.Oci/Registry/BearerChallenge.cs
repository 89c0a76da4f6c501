using System.Diagnostics.CodeAnalysis;

namespace Hypha.Oci.Registry;

/// <summary>
/// What a registry asks for with 401: <c>Bearer realm="https://auth…",service="…",scope="…"</c> (RFC 6750 3, distribution's token
/// specification).
/// </summary>
internal sealed record BearerChallenge(Uri Realm, string? Service, string? Scope)
{
    private const int MaxParameters = 16;

    internal static bool TryParse(string? parameters, [NotNullWhen(true)] out BearerChallenge? challenge)
    {
        challenge = null;
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        ReadOnlySpan<char> rest = parameters.AsSpan().Trim();
        while (!rest.IsEmpty)
        {
            int equals = rest.IndexOf('=');
            if (equals <= 0 || values.Count == MaxParameters)
                return false;
            string name = rest[..equals].Trim().ToString();
            rest = rest[(equals + 1)..].TrimStart();
            if (!TryTakeValue(ref rest, out string value) || !values.TryAdd(name, value))
                return false;
            rest = rest.TrimStart();
            if (rest.IsEmpty)
                break;
            if (rest[0] != ',')
                return false;
            rest = rest[1..].TrimStart();
        }
        if (!values.TryGetValue("realm", out string? realm) || !Uri.TryCreate(realm, UriKind.Absolute, out Uri? uri)
            || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp) || uri.UserInfo.Length > 0)
            return false;
        challenge = new BearerChallenge(uri, values.GetValueOrDefault("service"), values.GetValueOrDefault("scope"));
        return true;
    }

    /// <summary>Where to ask for a token that may pull from <paramref name="repository"/>.</summary>
    internal Uri TokenUri(string repository)
    {
        string query = $"scope={Uri.EscapeDataString(Scope ?? $"repository:{repository}:pull")}";
        if (Service is not null)
            query = $"service={Uri.EscapeDataString(Service)}&{query}";
        return new UriBuilder(Realm) { Query = Realm.Query.Length > 1 ? $"{Realm.Query[1..]}&{query}" : query }.Uri;
    }

    // RFC 9110 5.6.4: a token or a quoted string with backslashes.
    private static bool TryTakeValue(ref ReadOnlySpan<char> rest, out string value)
    {
        value = "";
        if (rest.IsEmpty)
            return false;
        if (rest[0] != '"')
        {
            int end = rest.IndexOf(',');
            value = (end < 0 ? rest : rest[..end]).Trim().ToString();
            rest = end < 0 ? default : rest[end..];
            return value.Length > 0;
        }
        var text = new System.Text.StringBuilder();
        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] == '"')
            {
                value = text.ToString();
                rest = rest[(i + 1)..];
                return true;
            }
            if (rest[i] == '\\' && ++i == rest.Length)
                return false;
            text.Append(rest[i]);
        }
        return false;
    }
}
