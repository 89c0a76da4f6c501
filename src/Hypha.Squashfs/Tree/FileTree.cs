namespace Hypha.Squashfs;

/// <summary>A file system in memory, to be written as a squashfs. Nothing of it exists on the host.</summary>
public sealed class FileTree
{
    public DirectoryInode Root { get; } = new() { Permissions = 0x1ED }; // 0755
}
