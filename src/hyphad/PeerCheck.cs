using System.Buffers.Binary;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Hypha.Daemon;

/// <summary>Who may use the control socket: root, and whoever the daemon runs as. The socket's mode says the same; this asks the kernel.</summary>
internal static class PeerCheck
{
    private const int SOL_SOCKET = 1;   // asm-generic/socket.h
    private const int SO_PEERCRED = 17;

    public static bool Allows(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return false;
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        if (socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) != credentials.Length)
            return false;
        uint uid = BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]);
        return uid == 0 || uid == Hypha.Linux.ProcessIdentity.UserId;
    }
}
