using System.Globalization;
using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>
/// A block device over a file (linux/loop.h). It exists as long as somebody has it open: this object, or whoever opened the
/// device meanwhile, a back end in the kernel for one. So nothing is left behind when the process dies.
/// </summary>
public sealed class LoopDevice : IDisposable
{
    private const string ControlPath = "/dev/loop-control";
    private const int Attempts = 64; // others take free devices at the same time

    private readonly FileDescriptor _device;

    private LoopDevice(FileDescriptor device, int number, bool directIo)
    {
        _device = device;
        Number = number;
        DirectIo = directIo;
        (Major, Minor) = ReadNumbers(number);
    }

    public int Number { get; }

    public string Path => $"/dev/loop{Number}";

    public uint Major { get; }

    public uint Minor { get; }

    /// <summary>Whether the file is read past the page cache. The kernel refuses where the file or its file system is not aligned for it.</summary>
    public bool DirectIo { get; }

    /// <summary>Makes a block device of a regular file.</summary>
    /// <param name="path">Neither a link nor a device: what somebody put in the file's place is refused.</param>
    /// <param name="readOnly">Nobody can write to the device then, whatever he asks for.</param>
    /// <exception cref="LinuxException">The file does not open or is no regular file, or there is no loop driver.</exception>
    public static LoopDevice Attach(string path, bool readOnly)
    {
        using FileDescriptor file = FileDescriptor.Open(path, (readOnly ? OpenFlags.ReadOnly : OpenFlags.ReadWrite) | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        RequireRegular(file, path);
        using FileDescriptor control = FileDescriptor.Open(ControlPath, OpenFlags.ReadWrite);
        for (int attempt = 1; ; attempt++)
        {
            int number = control.Ioctl(LoopIoctl.LOOP_CTL_GET_FREE, 0, $"asking for a free loop device for {path}");
            FileDescriptor device = FileDescriptor.Open($"/dev/loop{number}", readOnly ? OpenFlags.ReadOnly : OpenFlags.ReadWrite);
            try
            {
                if (TryConfigure(device, file, readOnly, directIo: true, out Errno error)
                    || (error == Errno.EINVAL && TryConfigure(device, file, readOnly, directIo: false, out error)))
                {
                    return new LoopDevice(device, number, ReadFlags(device, number).HasFlag(LoopFlags.DirectIo));
                }
                if (error != Errno.EBUSY || attempt == Attempts)
                    throw new LinuxException($"attaching {path} to /dev/loop{number}", error);
            }
            catch
            {
                device.Dispose();
                throw;
            }
            device.Dispose(); // somebody else was faster
        }
    }

    /// <summary>Lets go of the device; it is detached from its file once nobody has it open.</summary>
    public void Dispose() => _device.Dispose();

    // unsafe, here and below: the kernel reads or fills a structure in this frame of the stack.
    private static unsafe bool TryConfigure(FileDescriptor device, FileDescriptor file, bool readOnly, bool directIo, out Errno error)
    {
        LoopIoctl.loop_config config = default;
        config.fd = (uint)file.Number;
        config.info.lo_flags = LoopIoctl.LO_FLAGS_AUTOCLEAR | (readOnly ? LoopIoctl.LO_FLAGS_READ_ONLY : 0) | (directIo ? LoopIoctl.LO_FLAGS_DIRECT_IO : 0);
        bool done = device.TryIoctl(LoopIoctl.LOOP_CONFIGURE, (nint)(&config)) >= 0;
        error = done ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
        return done;
    }

    private static unsafe LoopFlags ReadFlags(FileDescriptor device, int number)
    {
        LoopIoctl.loop_info64 info = default;
        device.Ioctl(LoopIoctl.LOOP_GET_STATUS64, (nint)(&info), $"reading the state of /dev/loop{number}");
        return (LoopFlags)info.lo_flags;
    }

    private static unsafe void RequireRegular(FileDescriptor file, string path)
    {
        Libc.statx_t stat;
        if (Libc.statx(file.Number, "", Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, &stat) != 0)
            throw LinuxException.FromLastError($"looking at {path}");
        const int formatMask = 0xF000, regular = 0x8000; // <sys/stat.h>, S_IFMT and S_IFREG
        if ((stat.stx_mode & formatMask) != regular)
            throw new LinuxException($"attaching {path} to a loop device: it is no regular file", Errno.EINVAL);
    }

    private static (uint Major, uint Minor) ReadNumbers(int number)
    {
        string[] parts = File.ReadAllText($"/sys/block/loop{number}/dev").Trim().Split(':');
        return (uint.Parse(parts[0], CultureInfo.InvariantCulture), uint.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    [Flags]
    private enum LoopFlags : uint
    {
        DirectIo = LoopIoctl.LO_FLAGS_DIRECT_IO,
    }
}
