namespace Hypha.XenStore;

/// <summary>Something changed at a path, or may have: read the store to learn what.</summary>
/// <param name="Path">The node that changed, or the watched path itself.</param>
/// <param name="Overflowed">So much changed that single paths were dropped: take everything below the watched path as changed.</param>
public readonly record struct WatchEvent(string Path, bool Overflowed = false);
