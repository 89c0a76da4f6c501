namespace Hypha.Oci.Tar;

/// <summary>Numbers of header fields: octal digits (ustar), or base 256 when the first bit is set (GNU, star).</summary>
internal static class TarNumber
{
    internal static bool TryParse(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        return (field[0] & 0x80) != 0 ? TryParseBase256(field, out value) : TryParseOctal(field, out value);
    }

    // Two's complement, big-endian; the first bit is the mark, the second the sign.
    private static bool TryParseBase256(ReadOnlySpan<byte> field, out long value)
    {
        bool negative = (field[0] & 0x40) != 0;
        byte fill = negative ? (byte)0xFF : (byte)0;
        value = negative ? -1 : 0;
        for (int i = 0; i < field.Length; i++)
        {
            byte b = i > 0 ? field[i] : negative ? (byte)(field[i] | 0x80) : (byte)(field[i] & 0x7F);
            if (i < field.Length - 8 && b != fill)
                return false;
            value = (value << 8) | b;
        }
        return value < 0 == negative;
    }

    private static bool TryParseOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        ReadOnlySpan<byte> digits = field.TrimStart((byte)' ');
        int end = digits.IndexOfAny((byte)0, (byte)' ');
        if (end >= 0)
        {
            if (digits[end..].IndexOfAnyExcept((byte)0, (byte)' ') >= 0)
                return false;
            digits = digits[..end];
        }
        foreach (byte digit in digits) // none at all is zero: many writers leave unused fields empty
        {
            if (digit is < (byte)'0' or > (byte)'7')
                return false;
            value = (value << 3) | (long)(digit - '0'); // 12 digits at most: 36 bits
        }
        return true;
    }
}
