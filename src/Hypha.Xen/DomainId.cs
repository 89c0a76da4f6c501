namespace Hypha.Xen;

/// <summary>A domain's number (public/xen.h, domid_t). Numbers are used again: a domain's lasting name is its handle.</summary>
public readonly record struct DomainId(ushort Value) : IComparable<DomainId>
{
    /// <summary>The first domain, which controls the others.</summary>
    public static readonly DomainId Zero = new(0);

    /// <summary>DOMID_FIRST_RESERVED: guests lie below.</summary>
    public static readonly DomainId FirstReserved = new(0x7FF0);

    /// <summary>DOMID_SELF: the domain that calls.</summary>
    public static readonly DomainId Self = new(0x7FF0);

    /// <summary>DOMID_INVALID: no domain.</summary>
    public static readonly DomainId Invalid = new(0x7FF4);

    public int CompareTo(DomainId other) => Value.CompareTo(other.Value);

    public override string ToString() => $"domain {Value}";
}
