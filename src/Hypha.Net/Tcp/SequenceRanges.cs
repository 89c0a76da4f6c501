using System.Runtime.CompilerServices;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>
/// Parts of a stream, apart from each other and in order: what a guest has of ours behind a gap, or we of its. No more than a fixed number
/// of parts: one too many is not taken (its data is sent again in time).
/// </summary>
public struct SequenceRanges
{
    public const int Most = 32;

    private Parts _parts;

    public int Count { get; private set; }

    public readonly SackBlock this[int index] => _parts[index];

    /// <summary>Bytes in all parts.</summary>
    public readonly int Bytes
    {
        get
        {
            int sum = 0;
            for (int i = 0; i < Count; i++)
                sum += _parts[i].End - _parts[i].Start;
            return sum;
        }
    }

    /// <returns>False when there is no place for another part.</returns>
    public bool Add(SequenceNumber start, SequenceNumber end)
    {
        // All that touch it become one with it.
        int from = 0;
        while (from < Count && _parts[from].End < start)
            from++;
        int to = from;
        while (to < Count && _parts[to].Start <= end)
        {
            if (_parts[to].Start < start)
                start = _parts[to].Start;
            if (_parts[to].End > end)
                end = _parts[to].End;
            to++;
        }
        if (to == from)
        {
            if (Count == Most)
                return false;
            for (int i = Count; i > from; i--)
                _parts[i] = _parts[i - 1];
            Count++;
        }
        else
        {
            for (int i = to; i < Count; i++)
                _parts[from + 1 + i - to] = _parts[i];
            Count -= to - from - 1;
        }
        _parts[from] = new SackBlock(start, end);
        return true;
    }

    /// <summary>Forgets what lies before <paramref name="start"/>.</summary>
    public void RemoveBefore(SequenceNumber start)
    {
        int gone = 0;
        while (gone < Count && _parts[gone].End <= start)
            gone++;
        for (int i = gone; i < Count; i++)
            _parts[i - gone] = _parts[i];
        Count -= gone;
        if (Count > 0 && _parts[0].Start < start)
            _parts[0] = new SackBlock(start, _parts[0].End);
    }

    public void Clear() => Count = 0;

    [InlineArray(Most)]
    private struct Parts
    {
        private SackBlock _first;
    }
}
