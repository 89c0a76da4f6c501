namespace Hypha.Guest.Processes;

/// <summary>Who a process is, resolved as docker does (moby/sys user.GetExecUser) in the image's own files.</summary>
public sealed record Identity(uint Uid, uint Gid, uint[] AdditionalGroups, string Home)
{
    /// <param name="spec">"", "user", "user:group"; names or numbers. A number is always an id, even where a name of digits exists.</param>
    /// <param name="additionalGroups">Names or numbers, as in docker's --group-add.</param>
    /// <param name="passwd">The image's /etc/passwd, "" when it has none.</param>
    /// <param name="group">The image's /etc/group.</param>
    /// <exception cref="StartException">A name that the image does not have.</exception>
    public static Identity Resolve(string spec, IEnumerable<string> additionalGroups, string passwd, string group)
    {
        (string userName, string groupName) = spec.Split(':', 2) is [var u, var g] ? (u, g) : (spec, "");
        GroupEntry[] groups = [.. AccountFile.Group(group)];

        uint uid = 0;
        bool numeric = userName.Length == 0 || AccountId.TryParse(userName, out uid);
        PasswdEntry? entry = AccountFile.Passwd(passwd).Cast<PasswdEntry?>()
            .FirstOrDefault(e => numeric ? e!.Value.Uid == uid : e!.Value.Name == userName);
        if (entry is null && !numeric)
            throw new StartException(StartException.CannotStart, $"the image has no user \"{userName}\" (its /etc/passwd was searched)");

        uint gid = entry?.Gid ?? 0;
        IEnumerable<uint> memberships = [];
        if (groupName.Length > 0)
            gid = ResolveGroup(groupName, groups);
        else if (entry is { } found)
            memberships = groups.Where(candidate => candidate.Members.Contains(found.Name)).Select(candidate => candidate.Gid);

        uint[] additional = [.. memberships.Concat(additionalGroups.Select(name => ResolveGroup(name, groups))).Distinct()];
        string home = entry?.Home is { Length: > 0 } given ? given : "/";
        return new Identity(entry?.Uid ?? uid, gid, additional, home);
    }

    private static uint ResolveGroup(string name, GroupEntry[] groups)
    {
        if (AccountId.TryParse(name, out uint gid))
            return gid;
        foreach (GroupEntry entry in groups)
            if (entry.Name == name)
                return entry.Gid;
        throw new StartException(StartException.CannotStart, $"the image has no group \"{name}\" (its /etc/group was searched)");
    }
}
