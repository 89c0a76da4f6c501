using Hypha.Net.Dns;
using Hypha.Net.Ip;
using Hypha.Net.Nat;
using Hypha.Net.Tcp;

namespace Hypha.Net.Gateway;

/// <summary>What a guest can make grow, for tests to look at.</summary>
public sealed partial class Attachment
{
    internal TcpEndpoint Tcp => _tcp;

    internal TcpNat TcpNat => _tcpNat;

    internal DatagramNat Udp => _udp;

    internal DatagramNat EchoNat => _echo;

    internal Reassembly Reassembly => _reassembly;

    internal DnsForwarder Dns => _dns;

    internal GroupMember? Groups => _groups;
}
