using Hypha.Net.Link.Netif;
using Hypha.Net.Wire;
using Hypha.Xen;

namespace Hypha.Net.Tests.Link;

/// <summary>A guest's rings, with a front end that is right, wrong, and hostile.</summary>
public sealed class NetifLinkTests : IDisposable
{
    private readonly FrontEnd _guest = new();

    public void Dispose() => _guest.Dispose();

    private static byte[] Frame(int length, byte fill = 7)
    {
        var frame = new byte[length];
        frame.AsSpan(14).Fill(fill);
        (frame[12], frame[13]) = (0x08, 0x06);
        return frame;
    }

    /// <summary>A TCP segment over IPv4, as a guest hands it over that leaves checksum and cutting to others.</summary>
    private static byte[] Segment(int payload)
    {
        var frame = new byte[14 + 20 + 20 + payload];
        EthernetFrame.Write(frame, new MacAddress(0x02_00_48_59_50_01), new MacAddress(0x02_75_00_00_00_02), EtherType.Ipv4);
        Assert.True(IpAddress.TryParse("10.75.0.2", out IpAddress from) & IpAddress.TryParse("192.0.2.2", out IpAddress to));
        Ipv4Packet.Write(frame.AsSpan(14), from, to, IpProtocol.Tcp, 40 + payload);
        frame[14 + 20 + 12] = 5 << 4;
        return frame;
    }

    [Fact]
    public void A_frame_in_one_page_arrives_and_is_answered()
    {
        byte[] frame = Frame(60);
        _guest.Grant(9, frame);
        _guest.Transmit(new TransmitRequest(9, 0, 0, Id: 33, 60));
        _guest.Index(0, 12) = 1; // wants an event for the first response
        Assert.Equal(1, _guest.Receive());
        Assert.Equal(frame, Assert.Single(_guest.Received).Frame);
        Assert.Equal(new TransmitResponse(33, NetifStatus.Okay), _guest.TransmitResponse(0));
        Assert.Equal(1u, _guest.Index(0, 8));
        Assert.Equal([new EvtchnPort(1)], _guest.Notified);
        Assert.Equal(2u, _guest.Index(0, 4)); // asks for an event with the next request
        Assert.Equal(0, _guest.Receive());
    }

    [Fact]
    public void A_long_segment_arrives_whole_with_what_is_to_be_done()
    {
        byte[] frame = Segment(9_000);
        _guest.Grant(1, frame[..4000]);
        _guest.Grant(2, frame[4000..8000]);
        _guest.Grant(3, frame[8000..]);
        _guest.Transmit(
            new TransmitRequest(1, 0, TransmitFlags.ChecksumBlank | TransmitFlags.ExtraInfo | TransmitFlags.MoreData, 1, (ushort)frame.Length),
            new ExtraInfo(ExtraInfo.Segmentation, 0, 1448, ExtraInfo.TcpV4, 0, 0),
            new TransmitRequest(2, 0, TransmitFlags.MoreData, 2, 4000),
            new TransmitRequest(3, 0, 0, 3, (ushort)(frame.Length - 8000)));
        Assert.Equal(1, _guest.Receive());
        (VirtioNetHeader offload, byte[] bytes) = Assert.Single(_guest.Received);
        Assert.Equal(frame, bytes);
        Assert.Equal(new VirtioNetHeader(true, false, Segmentation.TcpV4, 54, 1448, 34, 16), offload);
        Assert.Equal([NetifStatus.Okay, NetifStatus.Null, NetifStatus.Okay, NetifStatus.Okay], Enumerable.Range(0, 4).Select(i => _guest.TransmitResponse(i).Status));
    }

    [Fact]
    public void Many_frames_keep_their_order_through_the_ring_s_end()
    {
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 60; i++)
            {
                _guest.Grant((uint)i, Frame(60, (byte)(round * 60 + i)));
                _guest.Transmit(new TransmitRequest((uint)i, 0, 0, (ushort)i, 60));
            }
            Assert.Equal(60, _guest.Receive());
        }
        Assert.Equal(Enumerable.Range(0, 600).Select(i => (byte)i), _guest.Received.Select(received => received.Frame[20]));
        Assert.Empty(_guest.Log);
    }

    [Theory]
    [InlineData(4090, 60)] // over the page's end
    [InlineData(0, 4097)]
    [InlineData(65_535, 60)]
    [InlineData(0, 13)] // no Ethernet header
    public void A_piece_that_cannot_be_is_answered_with_an_error_and_the_next_frame_passes(int offset, int size)
    {
        _guest.Grant(1);
        _guest.Grant(2, Frame(60));
        _guest.Transmit(new TransmitRequest(1, (ushort)offset, 0, 1, (ushort)size), new TransmitRequest(2, 0, 0, 2, 60));
        Assert.Equal(2, _guest.Receive());
        Assert.Single(_guest.Received);
        Assert.Equal([NetifStatus.Error, NetifStatus.Okay], Enumerable.Range(0, 2).Select(i => _guest.TransmitResponse(i).Status));
        Assert.Equal(1ul, _guest.Link.ReceiveFailures);
    }

    [Fact]
    public void Pieces_longer_than_the_whole_or_of_revoked_pages_are_errors()
    {
        _guest.Grant(1);
        _guest.Transmit(new TransmitRequest(1, 0, TransmitFlags.MoreData, 1, 100), new TransmitRequest(1, 0, 0, 2, 200),
            new TransmitRequest(666, 0, 0, 3, 60));
        Assert.Equal(2, _guest.Receive());
        Assert.Empty(_guest.Received);
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(NetifStatus.Error, _guest.TransmitResponse(i).Status));
    }

    [Fact]
    public void Segmentation_of_what_is_no_TCP_or_into_nothing_is_dropped()
    {
        _guest.Grant(1, Frame(60));
        _guest.Grant(2, Segment(100));
        _guest.Transmit(
            new TransmitRequest(1, 0, TransmitFlags.ChecksumBlank | TransmitFlags.ExtraInfo, 1, 60), new ExtraInfo(ExtraInfo.Segmentation, 0, 1448, ExtraInfo.TcpV4, 0, 0),
            new TransmitRequest(2, 0, TransmitFlags.ChecksumBlank | TransmitFlags.ExtraInfo, 2, 154), new ExtraInfo(ExtraInfo.Segmentation, 0, 0, ExtraInfo.TcpV4, 0, 0),
            new TransmitRequest(2, 0, TransmitFlags.ChecksumBlank | TransmitFlags.ExtraInfo, 3, 154), new ExtraInfo(ExtraInfo.Segmentation, 0, 1448, ExtraInfo.TcpV6, 0, 0),
            new TransmitRequest(2, 0, TransmitFlags.ChecksumBlank | TransmitFlags.ExtraInfo, 4, 154), new ExtraInfo(99, 0, 0, 0, 0, 0));
        Assert.Equal(4, _guest.Receive());
        Assert.Empty(_guest.Received);
        Assert.Equal(4ul, _guest.Link.ReceiveFailures);
    }

    [Fact]
    public void A_frame_without_an_end_or_an_index_out_of_the_ring_ends_the_link_with_one_line()
    {
        _guest.Grant(1);
        _guest.Transmit(new TransmitRequest(1, 0, TransmitFlags.MoreData, 1, 60));
        Assert.Equal(0, _guest.Receive());
        Assert.Contains("does not end", Assert.Single(_guest.Log));

        using var other = new FrontEnd();
        other.Index(0, 0) = 257;
        Assert.Equal(0, other.Receive());
        Assert.Equal(0, other.Receive());
        Assert.Contains("more requests than it holds", Assert.Single(other.Log));
        Assert.True(other.Link.TrySend(default, Frame(60)));
    }

    [Fact]
    public void Frames_to_the_guest_fill_its_pages_and_wait_for_room()
    {
        Assert.False(_guest.Link.TrySend(default, Frame(60)));
        _guest.Grant(5);
        _guest.Grant(6);
        _guest.PostPages(5, 6);
        _guest.Index(1, 12) = 1;
        byte[] frame = Frame(5_000, 3);
        Assert.True(_guest.Link.TrySend(default, frame.AsSpan(0, 14), frame.AsSpan(14, 1_000), frame.AsSpan(1_014)));
        Assert.Equal(0u, _guest.Index(1, 8)); // not before the turn ends
        _guest.Link.Turn(0);
        Assert.Equal(new ReceiveResponse(0, 0, ReceiveFlags.MoreData, 4096), _guest.ReceiveResponse(0));
        Assert.Equal(new ReceiveResponse(1, 0, 0, 904), _guest.ReceiveResponse(1));
        Assert.Equal(frame, (byte[])[.. _guest.Page(5), .. _guest.Page(6)[..904]]);
        Assert.Equal([new EvtchnPort(2)], _guest.Notified);
    }

    [Fact]
    public void A_segment_to_be_cut_says_so_in_the_slot_after_the_first()
    {
        for (uint page = 0; page < 4; page++)
            _guest.Grant(page);
        _guest.PostPages(0, 1, 2, 3);
        byte[] frame = Segment(8_000);
        Assert.True(_guest.Link.TrySend(new VirtioNetHeader(true, false, Segmentation.TcpV4, 54, 1448, 34, 16), frame));
        _guest.Link.Turn(0);
        Assert.Equal(new ReceiveResponse(0, 0, ReceiveFlags.ChecksumBlank | ReceiveFlags.DataValidated | ReceiveFlags.ExtraInfo | ReceiveFlags.MoreData, 4096), _guest.ReceiveResponse(0));
        Assert.Equal(new ExtraInfo(ExtraInfo.Segmentation, 0, 1448, ExtraInfo.TcpV4, 0, 0), _guest.ReceiveExtra(1));
        Assert.Equal(new ReceiveResponse(2, 0, 0, (short)(frame.Length - 4096)), _guest.ReceiveResponse(2));
        Assert.Equal(frame, (byte[])[.. _guest.Page(0), .. _guest.Page(2)[..(frame.Length - 4096)]]);
    }

    [Fact]
    public void A_page_that_was_taken_back_is_answered_with_an_error()
    {
        _guest.Grant(1);
        _guest.PostPages(1);
        Assert.True(_guest.Link.TrySend(default, Frame(60)));
        _guest.Revoke(1);
        _guest.Link.Turn(0);
        Assert.Equal((short)NetifStatus.Error, _guest.ReceiveResponse(0).Status);
    }

    [Fact]
    public void A_front_end_without_offloads_gets_finished_checksums_and_nothing_to_cut()
    {
        using var plain = new FrontEnd(segments: false);
        plain.Grant(1);
        plain.PostPages(1);
        byte[] frame = Segment(100);
        TcpSegment.WriteChecksum(frame.AsSpan(34), Checksum.OfPseudoHeader(AddressAt(frame, 26), AddressAt(frame, 30), IpProtocol.Tcp, 120).Partial);
        Assert.True(plain.Link.TrySend(new VirtioNetHeader(true, false, Segmentation.None, 0, 0, 34, 16), frame));
        Assert.True(plain.Link.TrySend(new VirtioNetHeader(true, false, Segmentation.TcpV4, 54, 1448, 34, 16), frame));
        plain.Link.Turn(0);
        Assert.Equal(1ul, plain.Link.SendFailures);
        Assert.Equal(new ReceiveResponse(0, 0, 0, 154), plain.ReceiveResponse(0));
        Assert.Equal(WireFault.None, TcpSegment.TryParse(plain.Page(1).AsSpan(34, 120), AddressAt(frame, 26), AddressAt(frame, 30), out _, checkSum: true));
    }

    [Fact]
    public void Random_rings_throw_nothing_and_never_answer_more_than_was_asked()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            using var guest = new FrontEnd(segments: seed % 2 == 0);
            var random = new Random(seed);
            for (uint grant = 0; grant < 8; grant++)
                guest.Grant(grant, Segment(random.Next(4000)));
            int asked = 0;
            for (int round = 0; round < 20; round++)
            {
                int count = random.Next(1, 30);
                asked += count;
                guest.Transmit([.. Enumerable.Range(0, count).Select(_ => (object)(random.Next(4) == 0
                    ? new ExtraInfo((byte)random.Next(3), (byte)random.Next(2), (ushort)random.Next(3000), (byte)random.Next(4), 0, 0)
                    : new TransmitRequest((uint)random.Next(10), (ushort)random.Next(random.Next(2) == 0 ? 50 : 65_536), (TransmitFlags)random.Next(16), (ushort)round, (ushort)random.Next(random.Next(2) == 0 ? 2_000 : 65_536))))]);
                guest.PostPages([.. Enumerable.Range(0, random.Next(5)).Select(_ => (uint)random.Next(10))]);
                guest.Receive(random.Next(1, 64));
                guest.Link.TrySend(new VirtioNetHeader(random.Next(2) == 0, false, (Segmentation)random.Next(5), 54, (ushort)random.Next(2000), (ushort)random.Next(200), (ushort)random.Next(200)), Frame(14 + random.Next(60_000)));
                guest.Link.Turn(0);
                Assert.True(guest.Index(0, 8) <= asked);
                if (guest.Log.Count > 0)
                    break;
            }
        }
    }

    private static IpAddress AddressAt(byte[] frame, int at) => IpAddress.ReadV4(frame.AsSpan(at));
}
