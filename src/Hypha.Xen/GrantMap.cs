using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>Pages that another domain granted to this one, mapped side by side (/dev/xen/gntdev); unmapped when disposed.</summary>
/// <remarks>The other domain cannot take the pages back while they are mapped here; when it dies they stay readable.</remarks>
public sealed class GrantMap : IDisposable
{
    private const string Path = "/dev/xen/gntdev";

    private readonly FileDescriptor _file;
    private readonly ulong _index;

    private GrantMap(FileDescriptor file, ulong index, MemoryMapping memory)
    {
        _file = file;
        _index = index;
        Memory = memory;
    }

    /// <summary>The pages, in the order of the grants. It lives as long as this object; it must not be disposed by others.</summary>
    public MemoryMapping Memory { get; }

    public static GrantMap Map(DomainId domain, ReadOnlySpan<GrantRef> grants, MemoryAccess access = MemoryAccess.ReadWrite)
    {
        FileDescriptor file = Privcmd.OpenDevice(Path);
        try
        {
            return Map(file, domain, grants, access);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // unsafe: the kernel reads and writes a request of variable length, in an array that stays in place for the call.
    private static unsafe GrantMap Map(FileDescriptor file, DomainId domain, ReadOnlySpan<GrantRef> grants, MemoryAccess access)
    {
        string what = grants.Length == 1 ? $"mapping {grants[0]} of {domain}" : $"mapping {grants.Length} grants of {domain}";
        byte[] request = new byte[sizeof(GrantIoctl.MapHeader) + (grants.Length * sizeof(GrantIoctl.GrantRefEntry))];
        ref GrantIoctl.MapHeader header = ref MemoryMarshal.AsRef<GrantIoctl.MapHeader>(request.AsSpan());
        header.count = (uint)grants.Length;
        Span<GrantIoctl.GrantRefEntry> entries = MemoryMarshal.Cast<byte, GrantIoctl.GrantRefEntry>(request.AsSpan(sizeof(GrantIoctl.MapHeader)));
        for (int i = 0; i < grants.Length; i++)
            entries[i] = new GrantIoctl.GrantRefEntry { domid = domain.Value, @ref = grants[i].Value };
        fixed (byte* p = request)
            FailureText.Check(file.TryIoctl(GrantIoctl.MapGrantRef, (nint)p), $"{what}");
        try
        {
            // Closing the file, which belongs to this mapping alone, is what gives the grants back.
            MemoryMapping memory = MemoryMapping.Shared(file, (long)header.index, grants.Length << Page.Shift, access, what);
            return new GrantMap(file, header.index, memory);
        }
        catch (LinuxException e)
        {
            throw new XenException(what, e.Error);
        }
    }

    /// <summary>
    /// Lets the kernel tell the other side when these pages are unmapped, by whatever end of this process: it clears the byte at
    /// <paramref name="offset"/> and sends an event.
    /// </summary>
    public void NotifyOnUnmap(int offset, EvtchnPort port) => UnmapNotification.Set(_file, _index, offset, port);

    public void Dispose()
    {
        Memory.Dispose();
        _file.Dispose();
    }
}
