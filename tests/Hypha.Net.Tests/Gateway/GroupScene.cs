using System.Buffers.Binary;
using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Switch;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Gateway.Frames;

namespace Hypha.Net.Tests.Gateway;

/// <summary>Some guests on one network, the first with 10.75.0.2 and fd75::2, and one alone on another network, with the last of these addresses. The clock is the test's.</summary>
internal sealed class GroupScene : IDisposable
{
    private readonly MemoryLink[] _links;
    private readonly Attachment[] _guests;

    /// <param name="policies">Of each guest; those that are not named have none.</param>
    public GroupScene(int count = 3, params string[] policies)
    {
        _links = [.. Enumerable.Range(0, count + 1).Select(_ => new MemoryLink())];
        _guests = new Attachment[count + 1];
        for (int i = 0; i <= count; i++)
        {
            NetworkSwitch network = i < count ? Network : OtherNetwork;
            _guests[i] = new Attachment(Loop, _links[i], Configure(Math.Min(i, count - 1), i < policies.Length ? policies[i] : ""), network);
            Assert.True(network.TryAdd(_guests[i]));
        }
        Stranger = count;
        Now = Loop.Now;
    }

    public EventLoop Loop { get; } = new();

    public long Now { get; private set; }

    public NetworkSwitch Network { get; } = new("default");

    public NetworkSwitch OtherNetwork { get; } = new("other");

    /// <summary>The guest on the other network.</summary>
    public int Stranger { get; }

    public Attachment this[int guest] => _guests[guest];

    public MemoryLink Link(int guest) => _links[guest];

    public MacAddress MacOf(int guest) => this[guest].Configuration.Mac!.Value;

    public string V4(int guest) => this[guest].Configuration.V4!.Value.Address.ToString();

    public string LinkLocal(int guest) => IpAddress.LinkLocalOf(MacOf(guest)).ToString();

    /// <summary>The guest says by IGMPv3 or MLDv2, as Linux does, that it is in these groups, or that it has left them.</summary>
    public void Join(int guest, params string[] groups) => Report(guest, GroupRecordType.ToExclude, groups);

    public void Leave(int guest, params string[] groups) => Report(guest, GroupRecordType.ToInclude, groups);

    public void Report(int guest, GroupRecordType type, params string[] groups)
    {
        foreach (IGrouping<bool, string> family in groups.GroupBy(group => Address(group).IsV4))
        {
            byte[] records = [.. family.SelectMany(group => (byte[])[(byte)type, 0, 0, 0, .. Bytes(Address(group))])];
            byte[] message = [.. new byte[IgmpMessage.HeaderSize], .. records];
            message[0] = family.Key ? (byte)IgmpType.ReportV3 : (byte)Icmp6Type.MulticastReportV2;
            BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), (ushort)family.Count());
            Control(guest, family.Key ? V4(guest) : LinkLocal(guest), family.Key ? "224.0.0.22" : "ff02::16", message);
        }
    }

    /// <summary>The guest sends an IGMP or MLD message, whose checksum is put right.</summary>
    public void Control(int guest, string source, string destination, byte[] message)
    {
        byte[] packet = new byte[RouterAlert.SizeV6 + message.Length];
        bool v4 = Address(source).IsV4;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), 0);
        Checksum sum = v4 ? default : Checksum.OfPseudoHeader(Address(source), Address(destination), IpProtocol.Icmp6, message.Length);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), sum.Add(message).Value);
        int header = RouterAlert.WriteHeaders(packet, Address(source), Address(destination), v4 ? IpProtocol.Igmp : IpProtocol.Icmp6, message.Length);
        Send(guest, Frames.Ip(MacAddress.OfGroup(Address(destination)), MacOf(guest), [.. packet[..header], .. message]));
    }

    /// <summary>The guest sends a datagram to a group.</summary>
    /// <returns>The frame.</returns>
    public byte[] Say(int guest, string group, ushort port = 5_353, string? source = null, int size = 5)
    {
        source ??= Address(group).IsV4 ? V4(guest) : LinkLocal(guest);
        byte[] frame = Frames.Ip(MacAddress.OfGroup(Address(group)), MacOf(guest), Packet(source, group, IpProtocol.Udp, Udp(source, group, port, port, new byte[size]), hopLimit: 1));
        Send(guest, frame);
        return frame;
    }

    public void Send(int guest, byte[] frame) => this[guest].Receive(default, frame, Now);

    /// <summary>Who has got something since this was asked last.</summary>
    public int[] Heard()
    {
        int[] heard = [.. Enumerable.Range(0, _links.Length).Where(guest => _links[guest].Sent.Count > 0)];
        foreach (MemoryLink link in _links)
            link.Sent.Clear();
        return heard;
    }

    public void Pass(long microseconds) => Loop.Timers.Advance(Now += microseconds);

    public void Dispose()
    {
        foreach (Attachment guest in _guests)
            guest.Dispose();
        Assert.Equal((0, 0, 0), (Loop.Timers.Count, Network.Groups.Count, OtherNetwork.Groups.Count));
        Loop.Dispose();
    }

    private static GuestConfiguration Configure(int number, string policy)
    {
        Assert.True(Subnet.TryParse($"10.75.{number / 200}.{2 + number % 200}/16", out Subnet v4) & Subnet.TryParse($"fd75::{2 + number:x}/64", out Subnet v6));
        return new GuestConfiguration
        {
            Mac = new MacAddress(0x0275_0A4B_0002 + (ulong)number),
            V4 = v4,
            V6 = v6,
            GatewayV4 = Address("10.75.0.1"),
            GatewayV6 = Address("fd75::1"),
            Policy = NetworkPolicy.Parse(policy),
        };
    }
}
