using Hypha.Linux;
using Hypha.Xen.Native;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>
/// The hypervisor, typed: one method per operation that Hypha needs, grouped by Xen's own subjects in the partial files
/// (version, sysctl, domctl, memory, MMU, event channels, grants, scheduling).
/// </summary>
/// <remarks>
/// Safe to use from several threads. Opening it asks the hypervisor for its versions of the control interfaces; one that is
/// not known is refused with its number, since the structures would be read wrongly.
/// </remarks>
public sealed partial class Hypervisor : IDisposable
{
    private readonly Privcmd _privcmd;

    private Hypervisor(Privcmd privcmd)
    {
        _privcmd = privcmd;
        Version = ReadVersion();
        _sysctl = ProbeSysctl();
        _domctl = ProbeDomctl();
    }

    /// <summary>For <see cref="ForeignMemory"/> and whoever else needs the same open device.</summary>
    public Privcmd Privcmd => _privcmd;

    /// <exception cref="XenException">Not on Xen, not privileged, or a hypervisor whose interface is not known.</exception>
    public static Hypervisor Open()
    {
        Privcmd privcmd = Privcmd.Open();
        try
        {
            return new Hypervisor(privcmd);
        }
        catch
        {
            privcmd.Dispose();
            throw;
        }
    }

    public void Dispose() => _privcmd.Dispose();

    private static Errno LastError => (Errno)Marshal.GetLastPInvokeError();

    private static void Put16(Span<byte> at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(at, value);

    private static void Put32(Span<byte> at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(at, value);

    private static void Put64(Span<byte> at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(at, value);

    private static ushort Get16(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt16LittleEndian(at);

    private static uint Get32(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt32LittleEndian(at);

    private static ulong Get64(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt64LittleEndian(at);
}
