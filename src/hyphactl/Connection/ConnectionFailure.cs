using System.Net.Sockets;

namespace Hypha.Ctl.Connection;

/// <summary>hyphad cannot be reached. The message says why and what to do.</summary>
internal sealed class ConnectionFailure(string socket, SocketException cause) : Exception(Explain(socket, cause), cause)
{
    private static string Explain(string socket, SocketException cause) => cause.SocketErrorCode switch
    {
        SocketError.AccessDenied => $"no permission to use {socket}: hyphad serves root alone. Run it as root: sudo hyphactl …",
        // ENOENT has no name of its own among .NET's socket errors.
        SocketError.ConnectionRefused or SocketError.AddressNotAvailable =>
            NotRunning(socket),
        _ when !File.Exists(socket) => NotRunning(socket),
        _ => $"{socket} does not answer: {cause.Message}.",
    };

    private static string NotRunning(string socket) =>
        $"hyphad is not running: nothing answers at {socket}. Start it with: systemctl start hyphad. "
        + "Without a Xen host, ./try.sh in Hypha's sources boots one to try.";
}
