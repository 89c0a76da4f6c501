using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hypha.Squashfs.Native;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Squashfs;

/// <summary>
/// The file that libsquashfs writes to (sqfs_file_t), over a descriptor of ours: so that the caller decides how it is opened,
/// and the true cause of a failed write (a full disk) is known.
/// </summary>
internal sealed unsafe class SqfsFile : SafeHandle
{
    private const int SQFS_ERROR_IO = -2;
    private const int SQFS_ERROR_OUT_OF_BOUNDS = -8;

    [StructLayout(LayoutKind.Sequential)]
    private struct Instance
    {
        internal sqfs_file_t File;
        internal nint Self; // GCHandle of the SqfsFile
    }

    private readonly SafeFileHandle _file;
    private long _length;

    internal SqfsFile(SafeFileHandle file) : base(0, ownsHandle: true)
    {
        _file = file;
        var instance = (Instance*)NativeMemory.AllocZeroed((nuint)sizeof(Instance));
        // Weak, lest the handle keep alive what it belongs to; the writer holds this object through every call.
        instance->Self = GCHandle.ToIntPtr(GCHandle.Alloc(this, GCHandleType.Weak));
        instance->File = new sqfs_file_t { destroy = &Destroy, copy = &Copy, read_at = &ReadAt, write_at = &WriteAt, get_size = &GetSize, truncate = &Truncate };
        SetHandle((nint)instance);
    }

    public override bool IsInvalid => handle == 0;

    internal nint Pointer => handle;

    internal long Length => _length;

    /// <summary>What the last failed call threw; the library hands on no more than a number.</summary>
    internal Exception? Failure { get; private set; }

    /// <summary>Adds zeros at the end.</summary>
    internal void Extend(long length)
    {
        try
        {
            RandomAccess.SetLength(_file, length);
        }
        catch (IOException failure)
        {
            throw new SquashfsException($"padding the file: {failure.Message}", failure);
        }
        _length = length;
    }

    protected override bool ReleaseHandle()
    {
        GCHandle.FromIntPtr(((Instance*)handle)->Self).Free();
        NativeMemory.Free((void*)handle);
        return true;
    }

    private static SqfsFile Of(nint file) => (SqfsFile)GCHandle.FromIntPtr(((Instance*)file)->Self).Target!;

    [UnmanagedCallersOnly]
    private static void Destroy(nint file) { } // owned on this side

    [UnmanagedCallersOnly]
    private static nint Copy(nint file) => 0; // io.h: files open for writing have no copies

    [UnmanagedCallersOnly]
    private static int ReadAt(nint file, ulong offset, byte* buffer, nuint size)
    {
        SqfsFile self = Of(file);
        try
        {
            if (offset + size > (ulong)self._length)
                return SQFS_ERROR_OUT_OF_BOUNDS;
            var rest = new Span<byte>(buffer, checked((int)size));
            while (!rest.IsEmpty)
            {
                int read = RandomAccess.Read(self._file, rest, (long)offset);
                if (read == 0)
                    return SQFS_ERROR_OUT_OF_BOUNDS;
                rest = rest[read..];
                offset += (ulong)read;
            }
            return 0;
        }
        catch (Exception failure) // none may cross into C
        {
            self.Failure ??= failure;
            return SQFS_ERROR_IO;
        }
    }

    [UnmanagedCallersOnly]
    private static int WriteAt(nint file, ulong offset, byte* buffer, nuint size)
    {
        SqfsFile self = Of(file);
        try
        {
            RandomAccess.Write(self._file, new ReadOnlySpan<byte>(buffer, checked((int)size)), (long)offset);
            self._length = Math.Max(self._length, (long)(offset + size));
            return 0;
        }
        catch (Exception failure) // none may cross into C
        {
            self.Failure ??= failure;
            return SQFS_ERROR_IO;
        }
    }

    [UnmanagedCallersOnly]
    private static ulong GetSize(nint file) => (ulong)Of(file)._length;

    // The block writer shortens the file when a file's blocks turn out to be there already.
    [UnmanagedCallersOnly]
    private static int Truncate(nint file, ulong size)
    {
        SqfsFile self = Of(file);
        try
        {
            RandomAccess.SetLength(self._file, (long)size);
            self._length = (long)size;
            return 0;
        }
        catch (Exception failure) // none may cross into C
        {
            self.Failure ??= failure;
            return SQFS_ERROR_IO;
        }
    }
}
