using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Wire;

internal delegate WireFault Parser(ReadOnlySpan<byte> bytes);

/// <summary>Real bytes in tests, and what holds for every parser.</summary>
internal static class Hex
{
    /// <summary>Two digits a byte; white space between is for the reader.</summary>
    public static byte[] Bytes(string text) => Convert.FromHexString(string.Concat(text.Where(c => !char.IsWhiteSpace(c))));

    /// <summary>Is taken whole, and at no length below.</summary>
    public static void IsRefusedAtEveryShorterLength(byte[] whole, Parser parse)
    {
        Assert.Equal(WireFault.None, parse(whole));
        for (int length = 0; length < whole.Length; length++)
        {
            // Memory of just that length: a byte read behind it would throw.
            WireFault fault = parse(whole[..length]);
            Assert.True(fault != WireFault.None, $"{length} of {whole.Length} bytes were taken");
        }
    }

    /// <summary>Whatever is in one of its bytes, and wherever it then ends: a fault or none, never an exception.</summary>
    public static void NeverThrows(byte[] whole, Parser parse)
    {
        byte[] changed = [.. whole];
        for (int at = 0; at < whole.Length; at++)
        {
            for (int value = 0; value < 256; value++)
            {
                changed[at] = (byte)value;
                parse(changed);
                parse(changed[..(value * whole.Length / 256)]);
            }
            changed[at] = whole[at];
        }
    }

    public static IpAddress Address(string text) => IpAddress.TryParse(text, out IpAddress address) ? address : throw new FormatException(text);

    public static MacAddress Mac(string text) => MacAddress.TryParse(text, out MacAddress address) ? address : throw new FormatException(text);

    /// <summary>A copy with one byte set.</summary>
    public static byte[] With(this byte[] bytes, int at, byte value)
    {
        byte[] copy = [.. bytes];
        copy[at] = value;
        return copy;
    }
}
