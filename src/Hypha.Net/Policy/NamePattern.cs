using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>A name of a rule: "example.test" is that one, "*.example.test" all that are below it.</summary>
internal sealed class NamePattern
{
    private const int LongestLabel = 63; // RFC 1035 2.3.4

    private readonly byte[] _name; // as in a message: lengths, labels, the root's 0
    private readonly bool _below;

    private NamePattern(byte[] name, bool below) => (_name, _below) = (name, below);

    /// <returns>Null for what is no name: letters, digits, "-" and "_" in labels of at most 63; others as DNS has them, "xn--…".</returns>
    public static NamePattern? Parse(string text)
    {
        bool below = text.StartsWith("*.", StringComparison.Ordinal);
        string[] labels = (below ? text[2..] : text).TrimEnd('.').ToLowerInvariant().Split('.');
        var name = new List<byte>();
        foreach (string label in labels)
        {
            if (label.Length is 0 or > LongestLabel || !label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                return null;
            name.Add((byte)label.Length);
            name.AddRange(label.Select(c => (byte)c));
        }
        name.Add(0);
        return name.Count <= DnsMessage.MaximumName ? new NamePattern([.. name], below) : null;
    }

    /// <param name="name">In small letters, as in a message.</param>
    public bool Matches(ReadOnlySpan<byte> name)
    {
        if (!_below)
            return name.SequenceEqual(_name);
        // Label by label: a label may hold bytes that look like the beginning of another.
        while (name.Length > _name.Length)
        {
            name = name[(1 + name[0])..];
            if (name.SequenceEqual(_name))
                return true;
        }
        return false;
    }
}
