namespace Hypha.XenStore;

/// <summary>Takes what the transport has in large pieces and gives it out in messages: one system call for many answers.</summary>
internal sealed class ReadBuffer(IStoreTransport transport)
{
    private readonly byte[] _bytes = new byte[16 << 10]; // more than any message with its header
    private int _from;
    private int _to;

    /// <summary>Waits until so many bytes are there.</summary>
    /// <returns>False when the stream ends before.</returns>
    public bool TryFill(int count)
    {
        if (_from + count > _bytes.Length)
        {
            _bytes.AsSpan(_from, _to - _from).CopyTo(_bytes);
            (_from, _to) = (0, _to - _from);
        }
        while (_to - _from < count)
        {
            int read = transport.Read(_bytes.AsSpan(_to));
            if (read <= 0)
                return false;
            _to += read;
        }
        return true;
    }

    /// <summary>The next bytes, good until the next call.</summary>
    public ReadOnlySpan<byte> Take(int count)
    {
        var taken = _bytes.AsSpan(_from, count);
        _from += count;
        return taken;
    }
}
