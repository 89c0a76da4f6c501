namespace Hypha.Xen;

/// <summary>The size of a page, the unit in which Xen gives, maps and grants memory (XC_PAGE_SIZE in Xen's documents).</summary>
public static class Page
{
    public const int Size = 4096;
    public const int Shift = 12;

    /// <summary>How many pages <paramref name="bytes"/> need.</summary>
    public static long Count(long bytes) => (bytes + Size - 1) >> Shift;
}
