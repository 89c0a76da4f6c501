namespace Hypha.Xen;

/// <summary>A page of the machine's memory, counted in pages of 4 KiB. What a PV guest's page tables and Xen's calls about PV guests name.</summary>
public readonly record struct Mfn(ulong Value) : IComparable<Mfn>
{
    /// <summary>INVALID_MFN.</summary>
    public static readonly Mfn Invalid = new(ulong.MaxValue);

    public static Mfn operator +(Mfn frame, ulong pages) => new(frame.Value + pages);

    public int CompareTo(Mfn other) => Value.CompareTo(other.Value);

    public override string ToString() => $"mfn 0x{Value:x}";
}
