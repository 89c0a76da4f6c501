using System.Text;
using Hypha.Squashfs;

namespace Hypha.Oci.Tar;

/// <summary>What the headers before an entry's own say about it: PAX records, local over global, and GNU's long names.</summary>
internal sealed class TarExtensions(Dictionary<string, byte[]> global)
{
    private const string XattrPrefix = "SCHILY.xattr."; // star's, used by GNU tar, bsdtar, Go and every image builder

    internal Dictionary<string, byte[]> Local { get; } = [];
    internal List<SparseExtent> SparseRecords { get; } = [];
    internal byte[]? LongName { get; set; }
    internal byte[]? LongLink { get; set; }

    /// <summary>Of all extension headers, so that none can be repeated without end.</summary>
    internal int Bytes { get; set; }

    internal bool IsEmpty => Bytes == 0;

    /// <summary>The record's value; null where there is none or it was taken back.</summary>
    internal byte[]? Text(string keyword) =>
        Local.TryGetValue(keyword, out byte[]? value) || global.TryGetValue(keyword, out value) ? value.Length == 0 ? null : value : null;

    internal long? Number(string keyword) => Text(keyword) is { } value ? PaxRecords.ParseNumber(value, keyword) : null;

    internal List<Xattr> Xattrs(int maxBytes)
    {
        var xattrs = new List<Xattr>();
        int bytes = 0;
        foreach (string keyword in Local.Keys.Union(global.Keys))
        {
            if (!keyword.StartsWith(XattrPrefix, StringComparison.Ordinal) || Text(keyword) is not { } value)
                continue;
            byte[] name = Encoding.Latin1.GetBytes(keyword[XattrPrefix.Length..]);
            if (name.Length is 0 or > 255) // XATTR_NAME_MAX
                throw new TarFormatException("the name of an extended attribute is empty or longer than 255 bytes");
            if (value.Length > 64 << 10) // XATTR_SIZE_MAX
                throw new TarFormatException($"the extended attribute {Printable.Quote(name)} is larger than 65536 bytes");
            if ((bytes += name.Length + value.Length) > maxBytes)
                throw new TarFormatException($"its extended attributes are larger than {maxBytes} bytes");
            xattrs.Add(new Xattr(name, value));
        }
        return xattrs;
    }
}
