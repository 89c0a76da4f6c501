using System.Text;

namespace Hypha.XenStore.Wire;

/// <summary>Payloads: strings that each end with a NUL, and a value's bytes that end with the message (misc/xenstore.txt).</summary>
public static class Payload
{
    /// <summary>Strings, each followed by a NUL.</summary>
    public static byte[] Strings(params ReadOnlySpan<string> strings)
    {
        int length = 0;
        foreach (string s in strings)
            length += Encoding.UTF8.GetByteCount(s) + 1;
        var bytes = new byte[length];
        int at = 0;
        foreach (string s in strings)
            at += Encoding.UTF8.GetBytes(s, bytes.AsSpan(at)) + 1;
        return bytes;
    }

    /// <summary>WRITE's: a path with its NUL, then the value without one.</summary>
    public static byte[] PathAndValue(string path, ReadOnlySpan<byte> value)
    {
        int pathLength = Encoding.UTF8.GetByteCount(path);
        var bytes = new byte[pathLength + 1 + value.Length];
        Encoding.UTF8.GetBytes(path, bytes);
        value.CopyTo(bytes.AsSpan(pathLength + 1));
        return bytes;
    }

    /// <summary>The strings of a payload; a last one without its NUL is taken as well.</summary>
    public static List<string> Split(ReadOnlySpan<byte> payload)
    {
        List<string> strings = [];
        while (!payload.IsEmpty)
        {
            int end = payload.IndexOf((byte)0);
            strings.Add(Encoding.UTF8.GetString(end < 0 ? payload : payload[..end]));
            payload = end < 0 ? [] : payload[(end + 1)..];
        }
        return strings;
    }

    /// <summary>The payload's first string.</summary>
    public static string First(ReadOnlySpan<byte> payload)
    {
        int end = payload.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? payload : payload[..end]);
    }
}
