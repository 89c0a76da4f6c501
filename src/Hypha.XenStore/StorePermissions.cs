namespace Hypha.XenStore;

/// <summary>What a domain may do with a node.</summary>
public enum StoreAccess
{
    None,
    Read,
    Write,
    Both,
}

/// <summary>One entry of a node's permissions: "r5".</summary>
public readonly record struct StorePermission(StoreAccess Access, int Domain)
{
    public override string ToString() => $"{Access switch { StoreAccess.None => 'n', StoreAccess.Read => 'r', StoreAccess.Write => 'w', _ => 'b' }}{Domain}";

    public static bool TryParse(string text, out StorePermission permission)
    {
        permission = default;
        if (text.Length < 2 || !StoreValue.TryParse(text.AsSpan(1), 0, 0xFFFF, out long domain))
            return false;
        StoreAccess? access = text[0] switch { 'n' => StoreAccess.None, 'r' => StoreAccess.Read, 'w' => StoreAccess.Write, 'b' => StoreAccess.Both, _ => null };
        permission = new StorePermission(access ?? default, (int)domain);
        return access is not null;
    }
}

/// <summary>
/// Who may do what with a node (misc/xenstore.txt, SET_PERMS). The first entry names the owner, who may do all, and what every domain
/// that is not named may do; the others name domains.
/// </summary>
public sealed class StorePermissions : IEquatable<StorePermissions>
{
    public StorePermissions(params ReadOnlySpan<StorePermission> entries)
    {
        if (entries.IsEmpty)
            throw new ArgumentException("A node's permissions name at least its owner.", nameof(entries));
        Entries = entries.ToArray();
    }

    public IReadOnlyList<StorePermission> Entries { get; }

    public int Owner => Entries[0].Domain;

    /// <summary>The owner alone: "n3".</summary>
    public static StorePermissions OwnedBy(int owner) => new(new StorePermission(StoreAccess.None, owner));

    /// <summary>As here, and <paramref name="domain"/> may read: "n0,r3".</summary>
    public StorePermissions ReadableBy(int domain) => new([.. Entries, new StorePermission(StoreAccess.Read, domain)]);

    /// <summary>As here, and <paramref name="domain"/> may read and write: "n0,b3".</summary>
    public StorePermissions WritableBy(int domain) => new([.. Entries, new StorePermission(StoreAccess.Both, domain)]);

    /// <summary>Reads "n0,r5".</summary>
    /// <exception cref="FormatException">The text is no list of permissions.</exception>
    public static StorePermissions Parse(string text)
    {
        string[] parts = text.Split(',');
        var entries = new StorePermission[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!StorePermission.TryParse(parts[i], out entries[i]))
                throw new FormatException($"\"{text}\" is not a list of permissions such as n0,r5");
        }
        return new StorePermissions(entries);
    }

    public bool Equals(StorePermissions? other) => other is not null && Entries.SequenceEqual(other.Entries);

    public override bool Equals(object? obj) => Equals(obj as StorePermissions);

    public override int GetHashCode() => HashCode.Combine(Entries.Count, Entries[0]);

    public override string ToString() => string.Join(',', Entries);
}
