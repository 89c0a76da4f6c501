namespace Hypha.Xen;

/// <summary>An entry of a domain's grant table (public/grant_table.h, grant_ref_t).</summary>
public readonly record struct GrantRef(uint Value)
{
    /// <summary>GNTTAB_RESERVED_CONSOLE: by convention the grant of the console's ring.</summary>
    public static readonly GrantRef Console = new(0);

    /// <summary>GNTTAB_RESERVED_XENSTORE: by convention the grant of the xenstore's ring.</summary>
    public static readonly GrantRef XenStore = new(1);

    public override string ToString() => $"grant {Value}";
}
