using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class HandshakeTests
{
    // The options of a SYN from Linux 6.12: MSS 1460, SACK, timestamps, NOP, window scale 7.
    private static readonly byte[] s_linuxOptions = Convert.FromHexString("020405b40402080a9c27c3b40000000001030307");

    [Fact]
    public void A_syn_is_answered_only_once_the_other_side_is_there()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Pass(30 * Scene.Second);
        scene.ExpectNothing();
        Assert.Equal(TcpState.Connecting, scene.Connection.State);
        scene.Connection.Accept(scene.Now);
        SegmentCopy answer = scene.Next();
        Assert.Equal(TcpFlags.Syn | TcpFlags.Ack, answer.Flags);
        Assert.Equal(scene.Guest(0), answer.Acknowledgment);
        Assert.Equal(65_535, answer.Window);
        scene.OurFirst = answer.Sequence;
        scene.Send(0, 0);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        Assert.Equal(1, scene.OpenedCount);
    }

    [Fact]
    public void What_the_guest_offers_is_answered_and_nothing_else()
    {
        var scene = new Scene();
        TcpOptions.Read(s_linuxOptions, out TcpOptions options);
        scene.SendSyn(options);
        scene.Connection.Accept(scene.Now);
        TcpOptions answer = scene.Next().Options;
        Assert.Equal((ushort)1460, answer.SegmentSize);
        Assert.Equal((byte)5, answer.WindowShift); // 1 MiB in 16 bits
        Assert.True(answer.SackPermitted);
        Assert.True(answer.HasTimestamps);
        Assert.Equal(0x9c27c3b4u, answer.TimestampEcho);

        var plain = new Scene();
        plain.SendSyn();
        plain.Connection.Accept(plain.Now);
        answer = plain.Next().Options;
        Assert.Equal((ushort)1460, answer.SegmentSize);
        Assert.Null(answer.WindowShift);
        Assert.False(answer.SackPermitted);
        Assert.False(answer.HasTimestamps);
    }

    [Fact]
    public void Refused_is_a_reset_that_the_guest_takes()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Connection.Refuse(reset: true);
        SegmentCopy reset = scene.Next();
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, reset.Flags);
        Assert.Equal(scene.Guest(0), reset.Acknowledgment); // RFC 9293 3.10.7.3: it acknowledges the SYN
        Assert.False(scene.RemovedWasOpen);
        scene.ExpectEnd(TcpEnd.Broken);
    }

    [Fact]
    public void Refused_without_a_reset_says_nothing()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Connection.Refuse(reset: false);
        scene.ExpectNothing();
        scene.ExpectEnd(TcpEnd.Broken);
    }

    [Fact]
    public void A_guest_that_gives_up_before_the_answer_ends_it()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.SendAt(scene.Guest(7), default, TcpFlags.Rst);
        Assert.Equal(TcpState.Connecting, scene.Connection.State);
        scene.SendAt(scene.Guest(0), default, TcpFlags.Rst);
        scene.ExpectEnd(TcpEnd.ResetByGuest);
    }

    [Fact]
    public void A_syn_again_gets_the_same_answer_again()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Connection.Accept(scene.Now);
        SegmentCopy first = scene.Next();
        scene.Pass(100 * Scene.Millisecond);
        scene.SendAt(scene.GuestFirst, default, TcpFlags.Syn);
        SegmentCopy again = scene.Next();
        Assert.Equal(first.Sequence, again.Sequence);
        Assert.Equal(TcpFlags.Syn | TcpFlags.Ack, again.Flags);
    }

    [Fact]
    public void A_syn_ack_that_is_lost_comes_again_ever_later_and_then_no_more()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Connection.Accept(scene.Now);
        SegmentCopy first = scene.Next();
        foreach (int seconds in (int[])[1, 2, 4, 8, 16])
        {
            long before = scene.Now;
            Assert.Equal(first.Sequence, scene.WaitNext(60 * Scene.Second).Sequence);
            Assert.InRange(scene.Now - before, seconds * Scene.Second, seconds * Scene.Second + 10 * Scene.Millisecond);
        }
        scene.Pass(33 * Scene.Second);
        scene.ExpectEnd(TcpEnd.TimedOut);
        Assert.False(scene.RemovedWasOpen);
    }

    [Fact]
    public void Opening_to_the_guest_offers_all_and_takes_what_the_guest_has()
    {
        var scene = new Scene();
        scene.Connection.Open(scene.Now);
        SegmentCopy syn = scene.Next();
        Assert.Equal(TcpFlags.Syn, syn.Flags);
        Assert.Equal(default, syn.Acknowledgment);
        TcpOptions offer = syn.Options;
        Assert.True(offer.SackPermitted && offer.HasTimestamps && offer.WindowShift is not null);
        scene.OurFirst = syn.Sequence;
        scene.SendAt(scene.GuestFirst, scene.Ours(0), TcpFlags.Syn | TcpFlags.Ack, options: new TcpOptions { SegmentSize = 1000 });
        scene.ExpectAcknowledgment(0);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.Give(Scene.Bytes(3_000));
        Assert.False(scene.ExpectData(0, 1_000).Options.HasTimestamps);
        Assert.Equal(1, scene.OpenedCount);
    }

    [Fact]
    public void Data_right_behind_the_syn_ack_is_taken_as_the_syn_told_a_window()
    {
        var scene = new Scene();
        scene.Connection.Open(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.Deliver(new SegmentCopy(scene.GuestFirst, scene.Ours(0), TcpFlags.Syn | TcpFlags.Ack, 65_535, [], []));
        scene.Deliver(new SegmentCopy(scene.Guest(0), scene.Ours(0), TcpFlags.Ack, 65_535, [], Scene.Bytes(100)));
        Assert.Equal(Scene.Bytes(100), scene.Connection.Taken);
        scene.ExpectAcknowledgment(100);
    }

    [Fact]
    public void A_guest_that_refuses_ends_it()
    {
        var scene = new Scene();
        scene.Connection.Open(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.SendAt(default, scene.Ours(5), TcpFlags.Rst | TcpFlags.Ack); // acknowledges nothing of ours
        Assert.Equal(TcpState.SynSent, scene.Connection.State);
        scene.SendAt(default, default, TcpFlags.Rst);
        Assert.Equal(TcpState.SynSent, scene.Connection.State);
        scene.SendAt(default, scene.Ours(0), TcpFlags.Rst | TcpFlags.Ack);
        scene.ExpectEnd(TcpEnd.ResetByGuest);
    }

    [Fact]
    public void A_syn_to_the_guest_that_nobody_answers_comes_six_times()
    {
        var scene = new Scene();
        scene.Connection.Open(scene.Now);
        scene.Pass(120 * Scene.Second);
        Assert.Equal(6, scene.Sent.Count);
        scene.Sent.Clear();
        scene.ExpectEnd(TcpEnd.TimedOut);
    }

    [Fact]
    public void A_wrong_acknowledgment_of_our_syn_is_reset_at_its_place()
    {
        var scene = new Scene();
        scene.Connection.Open(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.SendAt(scene.GuestFirst, scene.Ours(99), TcpFlags.Ack);
        SegmentCopy reset = scene.Next();
        Assert.Equal(TcpFlags.Rst, reset.Flags);
        Assert.Equal(scene.Ours(99), reset.Sequence);
        Assert.Equal(TcpState.SynSent, scene.Connection.State);
    }

    [Fact]
    public void A_wrong_acknowledgment_of_our_syn_ack_is_reset_at_its_place()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Connection.Accept(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.Send(0, 12);
        SegmentCopy reset = scene.Next();
        Assert.Equal(TcpFlags.Rst, reset.Flags);
        Assert.Equal(scene.Ours(12), reset.Sequence);
        Assert.Equal(TcpState.SynReceived, scene.Connection.State);
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(1, 64)]
    [InlineData(500, 500)]
    [InlineData(1460, 1460)]
    [InlineData(65_535, 1460)]
    public void The_segment_size_that_a_guest_asks_for_is_kept_within_reason(ushort offered, int expected)
    {
        Scene scene = Scene.Open(new TcpOptions { SegmentSize = offered });
        scene.Give(Scene.Bytes(5_000));
        scene.ExpectData(0, expected);
    }

    [Theory]
    [InlineData(true, 536)]
    [InlineData(false, 1_220)]
    public void Without_the_option_segments_are_of_the_standard_size(bool v4, int expected)
    {
        FlowKey key = v4 ? Scene.Key : new FlowKey(new IpAddress(0xFD75_0000_0000_0000, 2), 1, new IpAddress(0x2001_0DB8_0000_0000, 1), 80);
        var scene = new Scene(key: key);
        scene.SendSyn();
        scene.Connection.Accept(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.Send(0, 0);
        scene.Give(Scene.Bytes(5_000));
        scene.ExpectData(0, expected);
    }

    [Fact]
    public void Initial_sequence_numbers_of_neighbouring_flows_have_nothing_in_common()
    {
        var seen = new HashSet<uint>();
        for (ushort port = 1; port <= 1_000; port++)
        {
            var scene = new Scene(key: Scene.Key with { GuestPort = port });
            scene.Connection.Open(scene.Now);
            seen.Add(scene.Next().Sequence.Value >> 12);
        }
        // A thousand draws of 2^20: half a pair is expected to fall together.
        Assert.InRange(seen.Count, 990, 1_000);
    }

    [Fact]
    public void The_same_flow_begins_further_on_each_time()
    {
        var scene = new Scene();
        scene.Connection.Open(scene.Now);
        SequenceNumber first = scene.Next().Sequence;
        scene.Pass(4 * Scene.Millisecond);
        var again = new TestConnection(scene.Stack, Scene.Key);
        again.Open(scene.Now);
        Assert.InRange(scene.Next().Sequence - first, 1_000, 3_000); // RFC 9293 3.4.1: a step each 4 µs
    }

    [Fact]
    public void The_scale_of_the_windows_counts_only_when_both_say_it()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 4 }, window: 1_000);
        scene.Give(Scene.Bytes(20_000));
        Assert.Equal(10, scene.Sent.Count); // 16,000 bytes of window, but a congestion window of ten segments
        Assert.Equal(32_768, scene.Sent.Peek().Window); // 1 MiB in units of 32

        scene = Scene.Open(window: 1_000);
        scene.Give(Scene.Bytes(20_000));
        scene.ExpectData(0, 1_000);
        scene.ExpectNothing();
    }

    [Fact]
    public void A_window_shift_beyond_14_counts_as_14()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 255 }, window: 1);
        scene.Give(Scene.Bytes(16_384));
        Assert.Equal(10 * 1460, scene.Sent.Sum(s => s.Payload.Length));
    }

    [Fact]
    public void Data_before_the_handshake_is_done_waits_for_it()
    {
        var scene = new Scene();
        scene.SendSyn();
        scene.Connection.Accept(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.Give(1, 2, 3);
        scene.ExpectNothing();
        scene.Send(0, 0, [9]);
        Assert.Equal([9], scene.Connection.Taken);
        Assert.Equal([1, 2, 3], scene.ExpectData(0, 3).Payload);
    }
}
