namespace Hypha.XenStore;

/// <summary>
/// A node's path: absolute ("/local/domain/3/name"), relative to the caller's own domain ("device/vbd", for guests), or a special
/// one that can only be watched ("@releaseDomain"). Only valid paths have a value (misc/xenstore.txt, xs_wire.h).
/// </summary>
public readonly record struct StorePath
{
    /// <summary>XENSTORE_ABS_PATH_MAX.</summary>
    public const int MaximumAbsolute = 3072; // bytes, and characters: they are all ASCII

    /// <summary>XENSTORE_REL_PATH_MAX.</summary>
    public const int MaximumRelative = 2048;

    public static readonly StorePath Root = new("/");

    private readonly string? _value;

    private StorePath(string value) => _value = value;

    public string Value => _value ?? "/";

    public bool IsAbsolute => Value[0] == '/';

    public bool IsSpecial => Value[0] == '@';

    /// <summary>The last part: "name" of "/local/domain/3/name".</summary>
    public string Name => Value[(Value.LastIndexOf('/') + 1)..];

    /// <summary>The home of a domain's nodes.</summary>
    public static StorePath Domain(int domain) => new($"/local/domain/{domain}");

    public static StorePath operator /(StorePath parent, string child) =>
        Parse(parent.Value == "/" ? "/" + child : $"{parent.Value}/{child}");

    public static StorePath operator /(StorePath parent, int child) => parent / child.ToString();

    public static implicit operator StorePath(string text) => Parse(text);

    /// <exception cref="FormatException">Not a path of the store; the message says why.</exception>
    public static StorePath Parse(string text) =>
        TryParse(text, out StorePath path, out string? reason) ? path : throw new FormatException($"\"{Shorten(text)}\" is not a path of the xenstore: {reason}");

    public static bool TryParse(string text, out StorePath path, out string? reason)
    {
        path = default;
        reason = Fault(text);
        if (reason is null)
            path = new StorePath(text);
        return reason is null;
    }

    /// <summary>Whether this is <paramref name="ancestor"/> or lies below it.</summary>
    public bool IsWithin(StorePath ancestor) =>
        ancestor.Value == "/" ? IsAbsolute
        : Value.StartsWith(ancestor.Value, StringComparison.Ordinal) && (Value.Length == ancestor.Value.Length || Value[ancestor.Value.Length] == '/');

    public override string ToString() => Value;

    private static string? Fault(string text)
    {
        if (text.Length == 0)
            return "it is empty";
        int maximum = text[0] == '/' ? MaximumAbsolute : MaximumRelative;
        if (text.Length > maximum)
            return $"it is longer than {maximum} bytes";
        if (text.Length > 1 && text[^1] == '/')
            return "it ends with a slash";
        if (text.Contains("//", StringComparison.Ordinal))
            return "it has a doubled slash";
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '/' or '_' or '@'))
                return $"'{(char.IsControl(c) ? '?' : c)}' is not allowed (letters, digits, - / _ and @ are)";
        }
        return null;
    }

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
