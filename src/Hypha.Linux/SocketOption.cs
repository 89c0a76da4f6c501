namespace Hypha.Linux;

/// <summary>Levels and names for <see cref="RawSocket.SetOption"/> (asm-generic/socket.h, linux/in.h, in6.h, tcp.h).</summary>
public static class SocketOption
{
    public const int Socket = 1, Ip = 0, Tcp = 6, Udp = 17, Ipv6 = 41, Icmp6 = 58;    // levels: SOL_SOCKET, IPPROTO_…

    public const int ReuseAddress = 2;          // SO_REUSEADDR
    public const int SendBuffer = 7;            // SO_SNDBUF
    public const int ReceiveBuffer = 8;         // SO_RCVBUF
    public const int KeepAlive = 9;             // SO_KEEPALIVE

    public const int NoDelay = 1;               // TCP_NODELAY

    public const int TimeToLive = 2;            // IP_TTL
    public const int MtuDiscover = 10;          // IP_MTU_DISCOVER
    public const int ReceiveErrors = 11;        // IP_RECVERR
    public const int ReceiveTimeToLive = 12;    // IP_RECVTTL

    public const int HopLimit = 16;             // IPV6_UNICAST_HOPS
    public const int MtuDiscoverV6 = 23;        // IPV6_MTU_DISCOVER
    public const int ReceiveErrorsV6 = 25;      // IPV6_RECVERR
    public const int OnlyV6 = 26;               // IPV6_V6ONLY
    public const int ReceiveHopLimit = 51;      // IPV6_RECVHOPLIMIT
}
