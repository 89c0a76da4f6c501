using Hypha.Linux;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>
/// What is said when a call fails, composed only then: an interpolated string handed to <see cref="Check"/> costs nothing
/// on the path where all goes well.
/// </summary>
[InterpolatedStringHandler]
internal ref struct FailureText
{
    private DefaultInterpolatedStringHandler _text;
    private readonly Errno _error;

    public FailureText(int literalLength, int formattedCount, int result, out bool failed)
    {
        failed = result < 0;
        if (!failed)
            return;
        _error = (Errno)Marshal.GetLastPInvokeError();
        _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount);
    }

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);

    /// <summary>Throws when <paramref name="result"/> is negative; else returns it.</summary>
    internal static int Check(int result, [InterpolatedStringHandlerArgument(nameof(result))] ref FailureText what) =>
        result >= 0 ? result : throw new XenException(what._text.ToStringAndClear(), what._error);
}
