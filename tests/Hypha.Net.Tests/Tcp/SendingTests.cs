using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class SendingTests
{
    [Fact]
    public void Data_goes_out_in_segments_of_the_guests_size()
    {
        Scene scene = Scene.Open();
        scene.Give(Scene.Bytes(4_000));
        Assert.Equal(Scene.Bytes(1460), scene.ExpectData(0, 1460).Payload);
        scene.ExpectData(1460, 1460);
        SegmentCopy last = scene.ExpectData(2920, 1080);
        Assert.Equal(Scene.Bytes(1080, 2920), last.Payload);
        Assert.True(last.Has(TcpFlags.Psh));
        scene.ExpectNothing();
        scene.Send(0, 4_000);
        Assert.Equal(4_000, scene.Connection.BytesToGuest);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void A_link_that_cuts_gets_long_segments_of_whole_ones()
    {
        Scene scene = Scene.Open(segments: true);
        scene.Give(Scene.Bytes(100_000));
        SegmentCopy first = scene.ExpectData(0, 14_600); // RFC 6928: ten segments
        Assert.Equal(1460, first.SegmentSize);
        scene.Send(0, 14_600);
        scene.ExpectData(14_600, 29_200);
    }

    [Fact]
    public void Small_pieces_that_are_at_hand_go_together_over_the_ends_of_blocks()
    {
        Scene scene = Scene.Open();
        for (int i = 0; i < 100; i++)
            scene.Connection.Give(Scene.Bytes(100, i * 100));
        scene.Turns();
        for (int place = 0; scene.Sent.Count > 0; place += 1460)
            Assert.Equal(Scene.Bytes(Math.Min(1460, 10_000 - place), place), scene.ExpectData(place, Math.Min(1460, 10_000 - place)).Payload);
    }

    [Fact]
    public void Little_data_does_not_hold_a_large_block()
    {
        Scene scene = Scene.Open();
        scene.Give(1);
        Assert.Equal(0, scene.Stack.SendBlocks.InUse);
        Assert.Equal(1, scene.Stack.SmallSendBlocks.InUse);
        scene.Send(0, 1);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void No_more_goes_out_than_the_window_allows()
    {
        Scene scene = Scene.Open(window: 3_000);
        scene.Give(Scene.Bytes(10_000));
        scene.ExpectData(0, 1460);
        scene.ExpectData(1460, 1460);
        scene.ExpectNothing(); // 80 bytes more would be silly
        scene.Send(0, 2920);
        scene.ExpectData(2920, 1460);
    }

    [Fact]
    public void A_shut_window_is_asked_for_ever_more_seldom_for_as_long_as_the_guest_answers()
    {
        Scene scene = Scene.Open();
        scene.Window = 0;
        scene.Send(0, 0);
        scene.Give(Scene.Bytes(100));
        scene.ExpectNothing();
        long last = scene.Now, gap = 0;
        for (int i = 0; i < 100; i++)
        {
            SegmentCopy probe = scene.WaitNext(70 * Scene.Second);
            Assert.Equal(scene.Ours(-1), probe.Sequence);
            Assert.Empty(probe.Payload);
            Assert.InRange(scene.Now - last, Math.Min(gap, 60L * Scene.Second), 61L * Scene.Second);
            gap = scene.Now - last;
            last = scene.Now;
            scene.Send(0, 0);
        }
        Assert.True(scene.Now > 0 && gap > 59L * Scene.Second);
        scene.Window = 65_535;
        scene.Send(0, 0);
        scene.ExpectData(0, 100);
        scene.Pass(1_100 * Scene.Millisecond);
        scene.ExpectData(0, 100); // lost: not after the probes' minute
    }

    [Fact]
    public void A_shut_window_whose_guest_is_silent_ends_it_after_some_minutes()
    {
        Scene scene = Scene.Open();
        scene.Window = 0;
        scene.Send(0, 0);
        // Long after it was last heard of: that alone is no reason to give up.
        scene.Pass(1_000L * Scene.Second);
        scene.Give(1);
        scene.Pass(250L * Scene.Second);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.Pass(250L * Scene.Second);
        Assert.True(scene.Sent.Last().Has(TcpFlags.Rst));
        scene.Sent.Clear();
        scene.ExpectEnd(TcpEnd.TimedOut);
    }

    [Fact]
    public void A_probe_for_which_the_link_had_no_room_was_no_try()
    {
        Scene scene = Scene.Open();
        scene.Window = 0;
        scene.Send(0, 0);
        scene.Give(1);
        scene.LinkRoom = 0;
        scene.Pass(2_000L * Scene.Second);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.LinkRoom = int.MaxValue;
        Assert.Equal(scene.Ours(-1), scene.WaitNext(Scene.Second).Sequence);
    }

    [Fact]
    public void A_guest_whose_link_has_no_room_for_an_hour_is_not_given_up()
    {
        Scene scene = Scene.Open();
        scene.Give(Scene.Bytes(1000));
        scene.ExpectData(0, 1000);
        scene.LinkRoom = 0;
        scene.Pass(3_600L * Scene.Second);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.RoomAgain();
        scene.ExpectData(0, 1000);
        scene.Send(0, 1000);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void A_window_smaller_than_a_segment_is_waited_for_and_then_used()
    {
        Scene scene = Scene.Open();
        scene.Window = 50;
        scene.Send(0, 0);
        scene.Give(Scene.Bytes(1000));
        scene.ExpectNothing();
        SegmentCopy little = scene.WaitNext(2 * Scene.Second);
        Assert.Equal(Scene.Bytes(50), little.Payload);
        scene.Send(0, 50);
        scene.ExpectNothing();
        scene.Window = 2_000;
        scene.Send(0, 50);
        scene.ExpectData(50, 950);
    }

    [Fact]
    public void A_guest_whose_whole_window_is_tiny_is_served()
    {
        Scene scene = Scene.Open(window: 10);
        scene.Give(Scene.Bytes(35));
        for (int place = 0; place < 35; place += 10)
        {
            scene.ExpectData(place, Math.Min(10, 35 - place));
            scene.Send(0, Math.Min(place + 10, 35));
        }
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void A_window_that_shrinks_is_waited_for_beyond_the_usual_patience()
    {
        Scene scene = Scene.Open();
        scene.Give(Scene.Bytes(1000));
        scene.ExpectData(0, 1000);
        scene.Window = 0;
        for (int i = 0; i < 30; i++)
        {
            Assert.Equal(scene.Ours(0), scene.WaitNext(70 * Scene.Second).Sequence);
            scene.Send(0, 0);
        }
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.Window = 65_535;
        scene.Send(0, 0);
        long before = scene.Now;
        Assert.Equal(1000, scene.WaitNext(70 * Scene.Second).Payload.Length);
        Assert.InRange(scene.Now - before, 0, 1_100 * Scene.Millisecond);
    }

    [Fact]
    public void An_old_acknowledgment_does_not_shut_the_window()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(10));
        scene.SendAt(scene.Guest(10), scene.Ours(0), TcpFlags.Ack, window: 40_000);
        // The first again, late: RFC 9293 3.10.7.4, SND.WL1.
        scene.SendAt(scene.Guest(9), scene.Ours(0), TcpFlags.Ack, [1, 2], window: 0);
        scene.Give(Scene.Bytes(1460));
        scene.Pass(100 * Scene.Millisecond);
        Assert.Contains(scene.Sent, s => s.Payload.Length == 1460);
    }

    [Fact]
    public void The_congestion_window_doubles_each_round_trip_at_first()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 7 });
        scene.Give(Scene.Bytes(1_000_000));
        int sent = 0, acknowledged = 0;
        foreach (int expected in (int[])[14_600, 29_200, 58_400])
        {
            int more = scene.Sent.Sum(s => s.Payload.Length);
            scene.Sent.Clear();
            Assert.InRange(more, expected / 2, expected);
            sent += more;
            scene.Pass(20 * Scene.Millisecond);
            scene.Send(0, acknowledged = sent);
        }
        Assert.Equal(acknowledged, scene.Connection.BytesToGuest);
    }

    [Fact]
    public void After_a_silence_the_congestion_window_is_as_at_first()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 7 });
        int place = 0;
        scene.Give(Scene.Bytes(200_000));
        while (place < 200_000)
        {
            place += scene.Sent.Sum(s => s.Payload.Length);
            scene.Sent.Clear();
            scene.Send(0, place);
        }
        scene.Give(Scene.Bytes(50_000, place));
        Assert.Equal(50_000, scene.Sent.Sum(s => s.Payload.Length));
        scene.Sent.Clear();
        scene.Send(0, place += 50_000);
        scene.Pass(5 * Scene.Second);
        scene.Give(Scene.Bytes(50_000, place));
        Assert.InRange(scene.Sent.Sum(s => s.Payload.Length), 7_300, 14_600); // RFC 5681 4.1
    }

    [Fact]
    public void A_window_that_is_not_used_does_not_grow()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 7 });
        int place = 0;
        for (int i = 0; i < 200; i++)
        {
            scene.Give(Scene.Bytes(100, place));
            scene.Send(0, place += 100);
        }
        scene.Sent.Clear();
        scene.Give(Scene.Bytes(500_000, place));
        Assert.InRange(scene.Sent.Sum(s => s.Payload.Length), 10_000, 14_600);
    }

    [Fact]
    public void One_connection_leaves_others_their_turns()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 14 }, segments: true);
        int place = 0;
        for (int i = 0; i < 12; i++)
        {
            scene.Give(Scene.Bytes(500_000, i * 500_000));
            while (scene.Sent.TryDequeue(out SegmentCopy? segment))
            {
                Assert.True(segment.Payload.Length <= 65_435);
                Assert.Equal(Scene.Bytes(segment.Payload.Length, place), segment.Payload);
                place += segment.Payload.Length;
            }
            scene.Send(0, place);
        }
        // Never more than the limit under way.
        Assert.InRange(scene.Stack.SendBlocks.InUse * 65_536, 0, scene.Stack.SendLimit + 4 * 65_536);
    }

    [Fact]
    public void The_link_without_room_is_waited_for_at_each_place()
    {
        // Data, and the acknowledgment that would have gone with it.
        Scene scene = Scene.Open();
        scene.LinkRoom = 1;
        scene.Send(0, 0, Scene.Bytes(3000));
        scene.Sent.Clear();
        scene.Give(Scene.Bytes(5000));
        Assert.Equal(1, scene.WaitingForRoom);
        scene.ExpectNothing();
        scene.RoomAgain(2);
        scene.ExpectData(0, 1460);
        scene.ExpectData(1460, 1460);
        Assert.Equal(1, scene.WaitingForRoom);
        scene.RoomAgain();
        scene.ExpectData(2920, 1460);
        scene.ExpectData(4380, 620);

        // A delayed acknowledgment.
        scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(10));
        scene.LinkRoom = 0;
        scene.Pass(Scene.Second);
        scene.RoomAgain();
        scene.ExpectAcknowledgment(10);

        // A FIN.
        scene = Scene.Open();
        scene.LinkRoom = 0;
        scene.GiveEnd();
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.RoomAgain();
        Assert.True(scene.Next().Has(TcpFlags.Fin));

        // A SYN, and a SYN-ACK.
        scene = new Scene { LinkRoom = 0 };
        scene.Connection.Open(scene.Now);
        scene.RoomAgain();
        Assert.Equal(TcpFlags.Syn, scene.Next().Flags);
        scene = new Scene { LinkRoom = 0 };
        scene.SendSyn();
        scene.Connection.Accept(scene.Now);
        scene.RoomAgain();
        Assert.Equal(TcpFlags.Syn | TcpFlags.Ack, scene.Next().Flags);

        // What is sent again.
        scene = Scene.Open();
        scene.Give(Scene.Bytes(10));
        scene.Sent.Clear();
        scene.LinkRoom = 0;
        scene.Pass(1_100 * Scene.Millisecond);
        scene.RoomAgain();
        scene.ExpectData(0, 10);
    }

    [Fact]
    public void A_connection_that_waits_for_room_waits_once()
    {
        Scene scene = Scene.Open();
        scene.LinkRoom = 0;
        scene.Give(Scene.Bytes(5000));
        for (int i = 0; i < 10; i++)
            scene.Send(i * 1460, 0, Scene.Bytes(1460));
        Assert.Equal(1, scene.WaitingForRoom); // the scene sees to it as well
        scene.RoomAgain(0);
        Assert.Equal(1, scene.WaitingForRoom);
    }

    [Fact]
    public void Without_blocks_a_connection_waits_once_and_goes_on_when_one_is_free()
    {
        Scene scene = Scene.Open();
        var rented = new List<byte[]>();
        while (scene.Stack.SendBlocks.Rent() is { } block)
            rented.Add(block);
        scene.Give(Scene.Bytes(10));
        scene.Send(0, 0, Scene.Bytes(10));
        scene.Send(10, 0, Scene.Bytes(10));
        Assert.Equal(1, scene.WaitingForBuffers);
        scene.Sent.Clear();
        scene.Stack.ReturnSendBlock(rented[0]);
        scene.BuffersAgain();
        scene.ExpectData(0, 10);
        Assert.Equal(0, scene.WaitingForBuffers);
    }

    [Fact]
    public void A_stream_that_breaks_while_it_is_read_resets_the_guest()
    {
        Scene scene = Scene.Open();
        scene.Connection.IsBroken = true;
        scene.Give(1);
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, scene.Next().Flags);
        scene.ExpectEnd(TcpEnd.Broken);
    }

    [Fact]
    public void A_quiet_connection_is_asked_after_two_hours_and_ended_when_nobody_answers()
    {
        Scene scene = Scene.Open();
        scene.Pass(7_199L * Scene.Second);
        scene.ExpectNothing();
        Assert.Equal(scene.Ours(-1), scene.WaitNext(2 * Scene.Second).Sequence);
        scene.Send(0, 0);
        scene.Pass(7_199L * Scene.Second);
        scene.ExpectNothing();
        scene.Pass(9 * 75L * Scene.Second);
        Assert.Equal(9, scene.Sent.Count);
        Assert.All(scene.Sent, s => Assert.Empty(s.Payload));
        scene.Sent.Clear();
        scene.Pass(76L * Scene.Second);
        Assert.True(scene.Next().Has(TcpFlags.Rst));
        scene.ExpectEnd(TcpEnd.TimedOut);
    }
}
