namespace Hypha.DomainBuilder.Pv;

/// <summary>
/// How many page tables of each level map a range of virtual addresses. Tables of one level are kept next to each other, so that
/// together they are one array, indexed by the address.
/// </summary>
/// <param name="Start">First address.</param>
/// <param name="Last">Last address, inclusive: a range may end at 2^64.</param>
internal readonly record struct TableSpan(ulong Start, ulong Last)
{
    public const int PageShift = 12, L1Shift = 21, L2Shift = 30, L3Shift = 39;

    public ulong L1Tables => Blocks(L1Shift);
    public ulong L2Tables => Blocks(L2Shift);
    public ulong L3Tables => Blocks(L3Shift);
    public ulong Tables => L1Tables + L2Tables + L3Tables;

    /// <summary>Index of an address into the joined tables whose entries stand for 2^<paramref name="entryShift"/> bytes each.</summary>
    public int Index(ulong address, int entryShift) =>
        (int)((address >> entryShift) - (Start >> (entryShift + 9) << 9));

    /// <summary>Its place in the top table.</summary>
    public static int TopIndex(ulong address) => (int)(address >> L3Shift) & 511;

    private ulong Blocks(int shift) => (Last >> shift) - (Start >> shift) + 1;
}
