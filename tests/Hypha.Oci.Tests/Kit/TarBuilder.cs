using System.Globalization;
using System.Text;

namespace Hypha.Oci.Tests.Kit;

/// <summary>Writes archives, well-formed or not: every field can be given as bytes.</summary>
internal sealed class TarBuilder
{
    private readonly MemoryStream _archive = new();

    public TarBuilder Directory(string path, int mode = 493, long uid = 0, long gid = 0, long mtime = 1000) =>
        Entry('5', path, mode: mode, uid: uid, gid: gid, mtime: mtime);

    public TarBuilder File(string path, string content = "", int mode = 420, long uid = 0, long gid = 0, long mtime = 1000) =>
        Entry('0', path, Encoding.UTF8.GetBytes(content), mode: mode, uid: uid, gid: gid, mtime: mtime);

    public TarBuilder Symlink(string path, string target) => Entry('2', path, link: target, mode: 511);
    public TarBuilder HardLink(string path, string target) => Entry('1', path, link: target);
    public TarBuilder Device(char type, string path, int major, int minor) => Entry(type, path, major: major, minor: minor, mode: 416);
    public TarBuilder Fifo(string path) => Entry('6', path, mode: 384);

    public TarBuilder Entry(
        char type, string path, byte[]? content = null, string link = "", int mode = 420, long uid = 0, long gid = 0, long mtime = 1000,
        int major = 0, int minor = 0, Action<byte[]>? change = null) =>
        Entry(type, Encoding.UTF8.GetBytes(path), content, Encoding.UTF8.GetBytes(link), mode, uid, gid, mtime, major, minor, change);

    public TarBuilder Entry(
        char type, byte[] path, byte[]? content, byte[] link, int mode, long uid, long gid, long mtime, int major, int minor, Action<byte[]>? change = null)
    {
        if (path.Length > 100)
            Gnu('L', path);
        if (link.Length > 100)
            Gnu('K', link);
        byte[] header = new byte[512];
        path.AsSpan(0, Math.Min(100, path.Length)).CopyTo(header);
        Number(header, 100, 8, mode);
        Number(header, 108, 8, uid);
        Number(header, 116, 8, gid);
        Number(header, 124, 12, content?.Length ?? 0);
        Number(header, 136, 12, mtime);
        header[156] = (byte)type;
        link.AsSpan(0, Math.Min(100, link.Length)).CopyTo(header.AsSpan(157));
        "ustar  \0"u8.CopyTo(header.AsSpan(257));
        Number(header, 329, 8, major);
        Number(header, 337, 8, minor);
        change?.Invoke(header);
        Checksum(header);
        return Raw(header).Padded(content ?? []);
    }

    /// <summary>A PAX header for the next entry: keyword, value pairs.</summary>
    public TarBuilder Pax(params (string Keyword, byte[] Value)[] records) => Pax('x', records);

    public TarBuilder Pax(char type, params (string Keyword, byte[] Value)[] records)
    {
        var body = new MemoryStream();
        foreach ((string keyword, byte[] value) in records)
        {
            int rest = keyword.Length + value.Length + 3, length = rest + 1;
            while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
                length++;
            body.Write(Encoding.Latin1.GetBytes($"{length} {keyword}="));
            body.Write(value);
            body.WriteByte((byte)'\n');
        }
        return Extension(type, body.ToArray());
    }

    public TarBuilder Extension(char type, byte[] body)
    {
        byte[] header = new byte[512];
        "pax"u8.CopyTo(header);
        Number(header, 124, 12, body.Length);
        header[156] = (byte)type;
        "ustar\0"u8.CopyTo(header.AsSpan(257));
        "00"u8.CopyTo(header.AsSpan(263));
        Checksum(header);
        return Raw(header).Padded(body);
    }

    public TarBuilder Raw(ReadOnlySpan<byte> bytes)
    {
        _archive.Write(bytes);
        return this;
    }

    public byte[] End() => Raw(new byte[1024])._archive.ToArray();

    public byte[] WithoutEnd() => _archive.ToArray();

    private void Gnu(char type, byte[] text)
    {
        byte[] header = new byte[512];
        "././@LongLink"u8.CopyTo(header);
        Number(header, 124, 12, text.Length + 1);
        header[156] = (byte)type;
        "ustar  \0"u8.CopyTo(header.AsSpan(257));
        Checksum(header);
        Raw(header).Padded([.. text, 0]);
    }

    private TarBuilder Padded(byte[] content)
    {
        Raw(content);
        return Raw(new byte[-content.Length & 511]);
    }

    // Octal where it fits, else base 256 as GNU tar does.
    public static void Number(byte[] header, int offset, int length, long value)
    {
        string octal = value < 0 ? "" : Convert.ToString(value, 8);
        if (value >= 0 && octal.Length < length)
        {
            Encoding.ASCII.GetBytes(octal.PadLeft(length - 1, '0')).CopyTo(header, offset);
            header[offset + length - 1] = 0;
            return;
        }
        for (int i = length - 1; i >= 0; i--, value >>= 8)
            header[offset + i] = (byte)value;
        header[offset] |= 0x80;
    }

    private static void Checksum(byte[] header)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        int sum = header.Sum(b => b);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0')).CopyTo(header, 148);
        header[154] = 0;
    }
}
