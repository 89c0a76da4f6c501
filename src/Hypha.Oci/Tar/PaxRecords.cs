using System.Buffers.Text;
using System.Text;

namespace Hypha.Oci.Tar;

/// <summary>
/// Extended header records (IEEE 1003.1, pax, "pax Extended Header"): "LENGTH KEYWORD=VALUE\n" one after the other. A keyword
/// without value takes back an earlier one. Anything malformed is an error: what is skipped here shifts the archive for whoever
/// reads it otherwise (CVE-2025-62518).
/// </summary>
internal static class PaxRecords
{
    private const int MaxRecords = 4096;

    /// <summary>Adds the records to <paramref name="records"/>; those of GNU's sparse format 0.0, which repeat, to <paramref name="sparse"/>.</summary>
    internal static void Parse(ReadOnlySpan<byte> body, Dictionary<string, byte[]> records, List<SparseExtent>? sparse, int maxExtents)
    {
        long? sparseOffset = null;
        while (!body.IsEmpty)
        {
            if (!Utf8Parser.TryParse(body, out int length, out int digits) || digits == 0 || body[0] is < (byte)'0' or > (byte)'9'
                || length <= digits + 2 || length > body.Length || body[digits] != (byte)' ' || body[length - 1] != (byte)'\n')
                throw new TarFormatException("its PAX header is malformed");
            ReadOnlySpan<byte> record = body[(digits + 1)..(length - 1)];
            body = body[length..];

            int equals = record.IndexOf((byte)'=');
            if (equals <= 0 || record[..equals].Contains((byte)0))
                throw new TarFormatException("its PAX header is malformed");
            // Latin-1 keeps every byte of a keyword, which holds the name of an extended attribute.
            string keyword = Encoding.Latin1.GetString(record[..equals]);
            ReadOnlySpan<byte> value = record[(equals + 1)..];

            if (sparse is not null && keyword == "GNU.sparse.offset")
                sparseOffset = ParseNumber(value, "sparse map");
            else if (sparse is not null && keyword == "GNU.sparse.numbytes")
            {
                if (sparseOffset is not { } offset || sparse.Count >= maxExtents)
                    throw new TarFormatException($"its sparse map is malformed or has more than {maxExtents} pieces");
                sparse.Add(new SparseExtent(offset, ParseNumber(value, "sparse map")));
                sparseOffset = null;
            }
            else
                records[keyword] = value.ToArray();
            if (records.Count > MaxRecords)
                throw new TarFormatException($"its PAX header has more than {MaxRecords} records");
        }
    }

    /// <summary>A decimal number without sign.</summary>
    internal static long ParseNumber(ReadOnlySpan<byte> value, string what) =>
        value.Length > 0 && value.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
        && Utf8Parser.TryParse(value, out long number, out int used) && used == value.Length
            ? number
            : throw new TarFormatException($"its PAX {what} is not a number");

    /// <summary>Seconds, perhaps with a fraction, which is cut off towards the past.</summary>
    internal static long ParseTime(ReadOnlySpan<byte> value)
    {
        bool negative = value.StartsWith("-"u8);
        ReadOnlySpan<byte> rest = negative ? value[1..] : value;
        int point = rest.IndexOf((byte)'.');
        ReadOnlySpan<byte> fraction = point < 0 ? default : rest[(point + 1)..];
        if (fraction.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            throw new TarFormatException("its PAX time is not a number");
        long seconds = ParseNumber(point < 0 ? rest : rest[..point], "time");
        return !negative ? seconds : fraction.IndexOfAnyExcept((byte)'0') >= 0 ? -seconds - 1 : -seconds;
    }
}
