namespace Hypha.Oci.Layers;

/// <summary>What is left of an image's limits; its layers are read side by side and draw on one budget.</summary>
internal sealed class ImageBudget(ImageLimits limits)
{
    private long _entries, _expanded;

    internal ImageLimits Limits => limits;

    internal void TakeEntry()
    {
        if (Interlocked.Increment(ref _entries) > limits.Entries)
            throw new InvalidDataException($"the image has more than {limits.Entries} entries");
    }

    internal void TakeBytes(long count)
    {
        if (Interlocked.Add(ref _expanded, count) > limits.ExpandedBytes)
            throw new InvalidDataException($"the image grows beyond {limits.ExpandedBytes} bytes when decompressed");
    }
}
