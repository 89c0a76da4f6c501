using System.Runtime.InteropServices;
using System.Text;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>The machine as its init sees it.</summary>
public static class Machine
{
    /// <summary>Writes back what is dirty and turns the machine off. For pid 1 in the first pid namespace.</summary>
    public static void PowerOff()
    {
        Libc.sync();
        if (Libc.reboot(Libc.LINUX_REBOOT_CMD_POWER_OFF) < 0)
            throw LinuxException.FromLastError("powering off");
    }

    public static unsafe void SetHostname(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* p = bytes)
            if (Libc.sethostname(p, (nuint)bytes.Length) < 0)
                throw LinuxException.FromLastError($"setting the host's name to {name}");
    }

    /// <summary>Loads a kernel module from a file.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: <see cref="Errno.EEXIST"/> when it is loaded already.</returns>
    public static unsafe Errno LoadModule(FileDescriptor file)
    {
        nint finitModule = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 273 : 313;
        byte none = 0;
        return Libc.syscall(finitModule, file.Number, (nint)(&none), 0) == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
    }
}
