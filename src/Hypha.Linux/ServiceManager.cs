using System.Net.Sockets;

namespace Hypha.Linux;

/// <summary>Tells systemd, if it started this process, how it is (sd_notify(3)).</summary>
public static class ServiceManager
{
    /// <summary>What the program is for works from now on.</summary>
    public static void Ready()
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path)
            return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        // '@' stands for the NUL of an abstract address.
        socket.SendTo("READY=1"u8.ToArray(), new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path));
    }
}
