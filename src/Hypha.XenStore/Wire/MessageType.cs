namespace Hypha.XenStore.Wire;

/// <summary>What a message asks or answers (public/io/xs_wire.h, enum xsd_sockmsg_type).</summary>
public enum MessageType : uint
{
    Control = 0,
    Directory = 1,
    Read = 2,
    GetPerms = 3,
    Watch = 4,
    Unwatch = 5,
    TransactionStart = 6,
    TransactionEnd = 7,
    Introduce = 8,
    Release = 9,
    GetDomainPath = 10,
    Write = 11,
    Mkdir = 12,
    Rm = 13,
    SetPerms = 14,
    WatchEvent = 15,
    Error = 16,
    IsDomainIntroduced = 17,
    Resume = 18,
    SetTarget = 19,
    // 20 was XS_RESTRICT, which is no more
    ResetWatches = 21,
    DirectoryPart = 22,
}
