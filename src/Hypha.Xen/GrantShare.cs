using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>Zeroed pages of this domain that another one may map (/dev/xen/gntalloc); taken back when disposed.</summary>
/// <remarks>While the other domain still maps them, the kernel keeps the pages, and ends the grant when it lets go.</remarks>
public sealed class GrantShare : IDisposable
{
    private const string Path = "/dev/xen/gntalloc";

    private readonly FileDescriptor _file;
    private readonly ulong _index;
    private readonly GrantRef[] _grants;

    private GrantShare(FileDescriptor file, ulong index, GrantRef[] grants, MemoryMapping memory)
    {
        _file = file;
        _index = index;
        _grants = grants;
        Memory = memory;
    }

    /// <summary>The pages, side by side. It lives as long as this object; it must not be disposed by others.</summary>
    public MemoryMapping Memory { get; }

    /// <summary>One for each page, in order: what the other domain needs to know.</summary>
    public ReadOnlySpan<GrantRef> Grants => _grants;

    public static GrantShare Allocate(DomainId grantee, int pages, MemoryAccess access = MemoryAccess.ReadWrite)
    {
        FileDescriptor file = Privcmd.OpenDevice(Path);
        try
        {
            return Allocate(file, grantee, pages, access);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // unsafe: the kernel reads and writes a request of variable length, in an array that stays in place for the call.
    private static unsafe GrantShare Allocate(FileDescriptor file, DomainId grantee, int pages, MemoryAccess access)
    {
        string what = $"granting {pages} pages to {grantee}";
        byte[] request = new byte[sizeof(GrantIoctl.AllocHeader) + (pages * sizeof(uint))];
        ref GrantIoctl.AllocHeader header = ref MemoryMarshal.AsRef<GrantIoctl.AllocHeader>(request.AsSpan());
        header.domid = grantee.Value;
        header.flags = access == MemoryAccess.ReadWrite ? GrantIoctl.GNTALLOC_FLAG_WRITABLE : (ushort)0;
        header.count = (uint)pages;
        fixed (byte* p = request)
            FailureText.Check(file.TryIoctl(GrantIoctl.AllocGref, (nint)p), $"{what}");
        GrantRef[] grants = MemoryMarshal.Cast<byte, GrantRef>(request.AsSpan(sizeof(GrantIoctl.AllocHeader))).ToArray();
        try
        {
            // Closing the file, which belongs to this mapping alone, is what ends the grants.
            MemoryMapping memory = MemoryMapping.Shared(file, (long)header.index, pages << Page.Shift, MemoryAccess.ReadWrite, what);
            return new GrantShare(file, header.index, grants, memory);
        }
        catch (LinuxException e)
        {
            throw new XenException(what, e.Error);
        }
    }

    /// <summary>
    /// Lets the kernel tell the other side when this process lets go of the pages, by whatever end: it clears the byte at
    /// <paramref name="offset"/> and sends an event.
    /// </summary>
    public void NotifyOnUnmap(int offset, EvtchnPort port) => UnmapNotification.Set(_file, _index, offset, port);

    public void Dispose()
    {
        Memory.Dispose();
        _file.Dispose();
    }
}
