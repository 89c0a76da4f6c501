using System.Net.Sockets;

namespace Hypha.Daemon;

/// <summary>sd_notify(3): tells systemd, if it started us, that the socket answers.</summary>
internal static class SystemdNotify
{
    public static void Ready()
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path)
            return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        // '@' stands for the NUL of an abstract address.
        socket.SendTo("READY=1"u8.ToArray(), new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path));
    }
}
