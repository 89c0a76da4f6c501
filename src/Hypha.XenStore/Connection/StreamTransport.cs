using System.Net.Sockets;

namespace Hypha.XenStore;

/// <summary>Messages over a stream: the daemon's unix socket.</summary>
internal sealed class StreamTransport(Stream stream, string name) : IStoreTransport
{
    public string Name => name;

    public static StreamTransport Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new StreamTransport(new NetworkStream(socket, ownsSocket: true), path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public int Read(Span<byte> buffer) => stream.Read(buffer);

    public void Write(ReadOnlySpan<byte> messages)
    {
        stream.Write(messages);
        stream.Flush();
    }

    public void Stop()
    {
        // close(2) does not wake a read(2) that is under way; shutting down does.
        if (stream is NetworkStream { Socket: var socket })
        {
            try
            {
                socket.Shutdown(SocketShutdown.Both);
                return;
            }
            catch (SocketException)
            {
                // the daemon was faster
            }
        }
        stream.Dispose();
    }

    public void Close() => stream.Dispose();
}
