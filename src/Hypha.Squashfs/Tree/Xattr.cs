namespace Hypha.Squashfs;

/// <summary>An extended attribute: name with its namespace ("security.capability"), any bytes as value.</summary>
public readonly record struct Xattr(byte[] Name, byte[] Value);
