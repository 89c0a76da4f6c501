using Hypha.Linux;
using Hypha.Xen.Native;
using System.Numerics;

namespace Hypha.Xen;

/// <summary>The kernel's door to the hypervisor: hypercalls from a process (/dev/xen/privcmd) and the memory that they need.</summary>
/// <remarks>Safe to use from several threads at once.</remarks>
public sealed class Privcmd : IDisposable
{
    private const string Path = "/dev/xen/privcmd";
    private const string BufferPath = "/dev/xen/hypercall";
    private const int KeptPerClass = 4;
    private const int LargestKeptClass = 8; // 2^8 pages, 1 MiB; larger ones are unmapped when given back

    private readonly FileDescriptor _buffers;
    private readonly Stack<HypercallBuffer>[] _free;
    private bool _disposed;

    private Privcmd(FileDescriptor file, FileDescriptor buffers)
    {
        File = file;
        _buffers = buffers;
        _free = new Stack<HypercallBuffer>[LargestKeptClass + 1];
        for (int i = 0; i < _free.Length; i++)
            _free[i] = new Stack<HypercallBuffer>(KeptPerClass);
    }

    internal FileDescriptor File { get; }

    /// <exception cref="XenException">Not a Xen host, or not root: the message says which.</exception>
    public static Privcmd Open()
    {
        FileDescriptor file = OpenDevice(Path);
        try
        {
            return new Privcmd(file, OpenDevice(BufferPath));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal static FileDescriptor OpenDevice(string path, OpenFlags flags = OpenFlags.ReadWrite)
    {
        try
        {
            return FileDescriptor.Open(path, flags);
        }
        catch (LinuxException e) when (e.Error is Errno.ENOENT or Errno.ENXIO or Errno.ENODEV)
        {
            throw new XenException(Directory.Exists("/proc/xen") || System.IO.File.Exists("/sys/hypervisor/type")
                ? $"opening {path}: the device is not there; load the kernel's module for it (xen-{System.IO.Path.GetFileName(path)})"
                : $"opening {path}: this machine does not run on Xen");
        }
        catch (LinuxException e)
        {
            throw new XenException($"opening {path}", e.Error);
        }
    }

    /// <summary>Makes a hypercall.</summary>
    /// <returns>What Xen returned, or -1 with the error in <c>Marshal.GetLastPInvokeError</c>.</returns>
    // unsafe: the kernel reads the arguments from this frame of the stack.
    internal unsafe int TryCall(HypercallNumber number, ulong arg0, ulong arg1 = 0, ulong arg2 = 0, ulong arg3 = 0, ulong arg4 = 0)
    {
        var arguments = new PrivcmdIoctl.HypercallArguments
        {
            op = (ulong)number,
            arg0 = arg0,
            arg1 = arg1,
            arg2 = arg2,
            arg3 = arg3,
            arg4 = arg4,
        };
        return File.TryIoctl(PrivcmdIoctl.Hypercall, (nint)(&arguments));
    }

    /// <summary>A buffer of at least <paramref name="bytes"/>, its first <paramref name="bytes"/> zeroed. Dispose to give it back.</summary>
    internal HypercallBuffer Rent(int bytes)
    {
        int sizeClass = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, Page.Count(bytes))));
        HypercallBuffer? buffer = null;
        if (sizeClass <= LargestKeptClass)
        {
            lock (_free)
                _free[sizeClass].TryPop(out buffer);
        }

        buffer ??= Allocate(sizeClass);
        buffer.Span[..bytes].Clear();
        buffer.Take();
        return buffer;
    }

    private HypercallBuffer Allocate(int sizeClass)
    {
        int length = Page.Size << sizeClass;
        try
        {
            var memory = MemoryMapping.Shared(_buffers, 0, length, MemoryAccess.ReadWrite, $"mapping {length} bytes of {BufferPath}");
            return new HypercallBuffer(this, memory, sizeClass);
        }
        catch (LinuxException e)
        {
            throw new XenException($"mapping {length} bytes of {BufferPath}", e.Error);
        }
    }

    internal void Return(HypercallBuffer buffer)
    {
        if (buffer.SizeClass <= LargestKeptClass)
        {
            lock (_free)
            {
                Stack<HypercallBuffer> kept = _free[buffer.SizeClass];
                if (!_disposed && kept.Count < KeptPerClass)
                {
                    kept.Push(buffer);
                    return;
                }
            }
        }

        buffer.Unmap();
    }

    public void Dispose()
    {
        lock (_free)
        {
            _disposed = true;
            foreach (Stack<HypercallBuffer> kept in _free)
                while (kept.TryPop(out HypercallBuffer? buffer))
                    buffer.Unmap();
        }

        _buffers.Dispose();
        File.Dispose();
    }
}
