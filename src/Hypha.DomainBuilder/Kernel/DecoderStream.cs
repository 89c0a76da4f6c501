namespace Hypha.DomainBuilder.Kernel;

/// <summary>A read-only stream that unpacks another one step by step; what one decoder differs in from the next is <see cref="Step"/>.</summary>
internal abstract class DecoderStream(Stream packed, string format) : ForwardStream
{
    private readonly byte[] _input = new byte[256 * 1024];
    private int _start, _end;
    private bool _inputEnded, _done;

    protected string Format => format;

    /// <summary>Unpacks some of <paramref name="input"/> into <paramref name="output"/>.</summary>
    /// <returns>False when the packed stream has ended well; what follows in the input is no part of it.</returns>
    /// <exception cref="KernelImageException">The packed bytes are corrupt.</exception>
    protected abstract bool Step(ReadOnlySpan<byte> input, Span<byte> output, bool inputEnded, out int consumed, out int produced);

    public override int Read(Span<byte> buffer)
    {
        while (!_done && !buffer.IsEmpty)
        {
            if (_start == _end && !_inputEnded)
            {
                _start = 0;
                _end = packed.Read(_input);
                _inputEnded = _end == 0;
            }
            _done = !Step(_input.AsSpan(_start, _end - _start), buffer, _inputEnded, out int consumed, out int produced);
            _start += consumed;
            if (produced > 0)
                return produced;
            if (!_done && consumed == 0 && _inputEnded)
                throw new KernelImageException($"the kernel is truncated: its {format} payload ends too early");
        }
        return 0;
    }

    protected KernelImageException Corrupt(string why) => new($"the kernel's {format} payload is corrupt: {why}");
}
