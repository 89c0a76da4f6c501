namespace Hypha.Xen;

/// <summary>A page of a guest's own physical address space, counted in pages of 4 KiB from 0.</summary>
public readonly record struct Pfn(ulong Value) : IComparable<Pfn>
{
    public static Pfn operator +(Pfn frame, ulong pages) => new(frame.Value + pages);

    public static ulong operator -(Pfn left, Pfn right) => left.Value - right.Value;

    public int CompareTo(Pfn other) => Value.CompareTo(other.Value);

    public override string ToString() => $"pfn 0x{Value:x}";
}
