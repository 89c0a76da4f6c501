using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class SequenceRangesTests
{
    [Fact]
    public void Ranges_are_what_a_set_of_places_would_be()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var origin = new SequenceNumber(random.Next(3) switch { 0 => uint.MaxValue - 100, 1 => int.MaxValue - 100u, _ => (uint)random.Next() });
            var ranges = new SequenceRanges();
            bool[] model = new bool[400];
            int low = 0;
            for (int step = 0; step < 60; step++)
            {
                if (random.Next(8) == 0)
                {
                    low = Math.Min(399, low + random.Next(30));
                    ranges.RemoveBefore(origin + low);
                    Array.Clear(model, 0, low);
                }
                else
                {
                    int start = random.Next(low, 399), end = random.Next(start + 1, Math.Min(400, start + 1 + random.Next(1, 40)));
                    bool[] before = [.. model];
                    Array.Fill(model, true, start, end - start);
                    if (!ranges.Add(origin + start, origin + end))
                    {
                        Assert.Equal(SequenceRanges.Most, ranges.Count);
                        model = before;
                    }
                }
                AssertSame(model, origin, ranges, seed);
            }
        }
    }

    [Fact]
    public void One_part_too_many_is_not_taken_but_what_touches_a_part_is()
    {
        var ranges = new SequenceRanges();
        for (int i = 0; i < SequenceRanges.Most; i++)
            Assert.True(ranges.Add(new SequenceNumber((uint)(i * 10)), new SequenceNumber((uint)(i * 10 + 1))));
        Assert.False(ranges.Add(new SequenceNumber(5), new SequenceNumber(6)));
        Assert.True(ranges.Add(new SequenceNumber(1), new SequenceNumber(5)));
        Assert.Equal(SequenceRanges.Most, ranges.Count);
        Assert.Equal(SequenceRanges.Most + 4, ranges.Bytes);
    }

    private static void AssertSame(bool[] model, SequenceNumber origin, in SequenceRanges ranges, int seed)
    {
        var expected = new List<(int, int)>();
        for (int i = 0; i < model.Length; i++)
        {
            if (!model[i])
                continue;
            int start = i;
            while (i < model.Length && model[i])
                i++;
            expected.Add((start, i));
        }
        var actual = new List<(int, int)>();
        for (int i = 0; i < ranges.Count; i++)
            actual.Add((ranges[i].Start - origin, ranges[i].End - origin));
        Assert.True(expected.SequenceEqual(actual), $"seed {seed}: {string.Join(' ', expected)} but {string.Join(' ', actual)}");
        Assert.Equal(model.Count(m => m), ranges.Bytes);
    }
}
