using System.Net.Sockets;

namespace Hypha.Ttrpc.Tests;

/// <summary>Two ends of a real unix socket.</summary>
internal static class Connection
{
    public static (Stream Client, Stream Server) Pair()
    {
        string path = Path.Combine(Path.GetTempPath(), $"hypha-ttrpc-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(path));
        Socket server = listener.Accept();
        File.Delete(path);
        return (new NetworkStream(client, ownsSocket: true), new NetworkStream(server, ownsSocket: true));
    }

    public static byte[] Frame(uint streamId, byte type, ReadOnlySpan<byte> payload, byte flags = 0)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader((uint)payload.Length, streamId, (MessageType)type, (MessageFlags)flags).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        return frame;
    }
}
