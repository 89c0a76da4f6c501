using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class ReceivingTests
{
    private static readonly TcpOptions s_sack = new() { SackPermitted = true };

    [Fact]
    public void Data_goes_to_the_stream_and_is_acknowledged_a_little_later()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(100));
        Assert.Equal(Scene.Bytes(100), scene.Connection.Taken);
        scene.ExpectNothing();
        long before = scene.Now;
        SegmentCopy answer = scene.WaitNext(500 * Scene.Millisecond);
        Assert.Equal(scene.Guest(100), answer.Acknowledgment);
        Assert.InRange(scene.Now - before, 1, 10 * Scene.Millisecond);
        Assert.Equal(100, scene.Connection.BytesFromGuest);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void Every_second_full_segment_is_acknowledged_at_once()
    {
        Scene scene = Scene.Open();
        for (int i = 0; i < 6; i++)
        {
            scene.Send(i * 1460, 0, Scene.Bytes(1460, i * 1460));
            if (i % 2 == 1)
                scene.ExpectAcknowledgment((i + 1) * 1460);
            scene.ExpectNothing();
        }
    }

    [Fact]
    public void Segments_of_one_turn_share_an_acknowledgment()
    {
        Scene scene = Scene.Open();
        for (int i = 0; i < 20; i++)
            scene.Deliver(new SegmentCopy(scene.Guest(i * 1000), scene.Ours(0), TcpFlags.Ack, 65_535, [], Scene.Bytes(1000, i * 1000)));
        scene.ExpectAcknowledgment(20_000);
        scene.ExpectNothing();
        Assert.Equal(Scene.Bytes(20_000), scene.Connection.Taken);
    }

    [Fact]
    public void An_acknowledgment_goes_along_with_data()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(100));
        scene.Give(1);
        Assert.Equal(scene.Guest(100), scene.ExpectData(0, 1).Acknowledgment);
        scene.Send(100, 1);
        scene.Pass(Scene.Second);
        scene.ExpectNothing();
    }

    [Fact]
    public void Data_behind_a_gap_is_told_with_the_latest_first_and_joins_when_the_gap_is_filled()
    {
        Scene scene = Scene.Open(s_sack);
        scene.Send(1000, 0, Scene.Bytes(500, 1000));
        Assert.Equal([Block(scene, 1000, 1500)], Acknowledgment(scene, 0).Blocks);
        scene.Send(3000, 0, Scene.Bytes(500, 3000));
        Assert.Equal([Block(scene, 3000, 3500), Block(scene, 1000, 1500)], Acknowledgment(scene, 0).Blocks);
        scene.Send(5000, 0, Scene.Bytes(500, 5000));
        Assert.Equal([Block(scene, 5000, 5500), Block(scene, 1000, 1500), Block(scene, 3000, 3500)], Acknowledgment(scene, 0).Blocks);
        scene.Send(1500, 0, Scene.Bytes(500, 1500));
        Assert.Equal(Block(scene, 1000, 2000), Acknowledgment(scene, 0).Blocks[0]);
        scene.Send(0, 0, Scene.Bytes(1000));
        Assert.Equal([Block(scene, 3000, 3500), Block(scene, 5000, 5500)], Acknowledgment(scene, 2000).Blocks);
        scene.Send(2000, 0, Scene.Bytes(3000, 2000));
        Assert.Empty(Acknowledgment(scene, 5500).Blocks);
        Assert.Equal(Scene.Bytes(5500), scene.Connection.Taken);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void With_timestamps_there_is_room_for_three_blocks()
    {
        Scene scene = Scene.Open(new TcpOptions { SackPermitted = true, HasTimestamps = true, TimestampValue = 7 });
        for (int i = 1; i <= 5; i++)
            scene.Send(i * 2000, 0, [1]);
        Assert.Equal(3, scene.Sent.Last().Blocks.Length);
        Assert.Equal(Block(scene, 10_000, 10_001), scene.Sent.Last().Blocks[0]);
    }

    [Fact]
    public void Without_sack_a_gap_is_answered_with_plain_acknowledgments()
    {
        Scene scene = Scene.Open();
        for (int i = 1; i <= 3; i++)
        {
            scene.Send(i * 1000, 0, Scene.Bytes(1000, i * 1000));
            Assert.Empty(Acknowledgment(scene, 0).Blocks);
        }
        scene.Send(0, 0, Scene.Bytes(1000));
        Acknowledgment(scene, 4000);
        Assert.Equal(Scene.Bytes(4000), scene.Connection.Taken);
    }

    [Fact]
    public void One_segment_over_several_gaps_joins_all_that_is_behind()
    {
        Scene scene = Scene.Open(s_sack);
        scene.Send(100, 0, Scene.Bytes(100, 100));
        scene.Send(300, 0, Scene.Bytes(100, 300));
        scene.Send(500, 0, Scene.Bytes(100, 500));
        scene.Sent.Clear();
        scene.Send(0, 0, Scene.Bytes(350));
        Assert.Equal([Block(scene, 500, 600)], Acknowledgment(scene, 400).Blocks);
        Assert.Equal(Scene.Bytes(400), scene.Connection.Taken);
    }

    [Fact]
    public void What_overlaps_is_taken_once()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(1000));
        scene.Send(500, 0, Scene.Bytes(1000, 500));
        scene.Send(1499, 0, Scene.Bytes(2, 1499));
        Assert.Equal(Scene.Bytes(1501), scene.Connection.Taken);
    }

    [Fact]
    public void A_duplicate_is_acknowledged_at_once_and_not_taken()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(1000));
        scene.WaitNext(Scene.Second);
        scene.Send(0, 0, Scene.Bytes(1000));
        scene.ExpectAcknowledgment(1000);
        scene.Send(300, 0, Scene.Bytes(10, 300));
        scene.ExpectAcknowledgment(1000);
        Assert.Equal(1000, scene.Connection.Taken.Count);
        Assert.Equal(2u, scene.Stack.Counters.Duplicates);
    }

    [Fact]
    public void Data_beyond_the_window_is_cut_and_told_of()
    {
        Scene scene = Scene.Open(receiveWindow: 2_000);
        scene.Connection.Room = 0;
        scene.Send(0, 0, Scene.Bytes(3_000));
        scene.ExpectAcknowledgment(2_000);
        scene.Take(int.MaxValue);
        Assert.Equal(Scene.Bytes(2_000), scene.Connection.Taken);
    }

    [Fact]
    public void A_stream_that_takes_nothing_shuts_the_window_and_opens_it_again()
    {
        Scene scene = Scene.Open(receiveWindow: 10_000);
        scene.Connection.Room = 0;
        for (int i = 0; i < 10; i++)
            scene.Send(i * 1000, 0, Scene.Bytes(1000, i * 1000));
        scene.Pass(Scene.Second);
        Assert.Equal(0, scene.Sent.Last().Window);
        Assert.Equal(scene.Guest(10_000), scene.Sent.Last().Acknowledgment);
        scene.Sent.Clear();
        scene.Take(1_000); // too little to speak of (RFC 9293 3.8.6.2.2)
        scene.ExpectNothing();
        scene.Take(3_000);
        Assert.Equal(4_000, Acknowledgment(scene, 10_000).Window);
        scene.Take(int.MaxValue);
        Assert.Equal(10_000, Acknowledgment(scene, 10_000).Window);
        Assert.Equal(Scene.Bytes(10_000), scene.Connection.Taken);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void A_probe_into_a_shut_window_is_answered_and_its_acknowledgment_counts()
    {
        Scene scene = Scene.Open(receiveWindow: 1_000);
        scene.Connection.Room = 0;
        scene.Send(0, 0, Scene.Bytes(1000));
        scene.Give(Scene.Bytes(10));
        Assert.Equal(0, scene.ExpectData(0, 10).Window);
        // RFC 9293 3.10.7.4: no byte of it is taken, its ACK is.
        scene.Send(1000, 10, [99]);
        scene.ExpectAcknowledgment(1000);
        Assert.Equal(10, scene.Connection.BytesToGuest);
        scene.SendAt(scene.Guest(999), scene.Ours(10), TcpFlags.Ack); // a probe as Linux sends it
        scene.ExpectAcknowledgment(1000);
        scene.Take(int.MaxValue);
        Assert.Equal(1000, scene.Connection.Taken.Count);
    }

    [Fact]
    public void A_bare_fin_gets_through_a_shut_window()
    {
        Scene scene = Scene.Open(receiveWindow: 1_000);
        scene.Connection.Room = 0;
        scene.Send(0, 0, Scene.Bytes(1000));
        scene.Sent.Clear();
        scene.Send(1000, 0, flags: TcpFlags.Ack | TcpFlags.Fin);
        scene.ExpectAcknowledgment(1001);
        Assert.False(scene.Connection.EndWritten);
        scene.Take(int.MaxValue);
        Assert.True(scene.Connection.EndWritten);
        Assert.Equal(1000, scene.Connection.Taken.Count);
    }

    [Fact]
    public void The_windows_right_edge_never_moves_back_by_more_than_the_scale_rounds()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 2 });
        scene.Connection.Room = 0;
        SequenceNumber edge = scene.Guest(0);
        for (int place = 0, i = 0; place < 1 << 20; place += 777, i++)
        {
            scene.Send(place, 0, Scene.Bytes(777, place));
            if (i % 5 == 0)
                scene.Take(i * 3);
            while (scene.Sent.TryDequeue(out SegmentCopy? segment))
            {
                SequenceNumber now = segment.Acknowledgment + (segment.Window << 5);
                Assert.True(now - edge > -32, $"{now - edge}");
                edge = now;
            }
        }
        Assert.InRange(scene.Stack.ReceiveBlocks.InUse, 1, 18);
    }

    [Fact]
    public void Urgent_data_is_data_like_other()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(10), TcpFlags.Ack | TcpFlags.Urg);
        Assert.Equal(Scene.Bytes(10), scene.Connection.Taken);
    }

    [Fact]
    public void A_stream_that_takes_a_part_gets_the_rest_in_order()
    {
        Scene scene = Scene.Open(s_sack);
        scene.Connection.Room = 100;
        scene.Send(0, 0, Scene.Bytes(1000));
        scene.Send(2000, 0, Scene.Bytes(1000, 2000));
        scene.Send(1000, 0, Scene.Bytes(1000, 1000));
        Assert.Equal(100, scene.Connection.Taken.Count);
        scene.Take(50);
        Assert.Equal(150, scene.Connection.Taken.Count);
        scene.Take(int.MaxValue);
        Assert.Equal(Scene.Bytes(3000), scene.Connection.Taken);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void Without_blocks_data_counts_as_lost_and_less_window_is_told()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 0 });
        while (scene.Stack.ReceiveBlocks.Rent() is not null)
        {
        }
        int limit = scene.Stack.ReceiveBlocks.Limit;
        scene.Send(5000, 0, Scene.Bytes(100, 5000)); // behind a gap
        Acknowledgment(scene, 0);
        scene.Send(0, 0, Scene.Bytes(100)); // straight through
        Assert.Equal(Scene.Bytes(100), scene.Connection.Taken);
        scene.Connection.Room = 0;
        scene.Send(100, 0, Scene.Bytes(100, 100));
        Acknowledgment(scene, 100);
        Assert.Equal(2u, scene.Stack.Counters.NoBuffer);
        scene.Take(int.MaxValue);
        scene.Send(100, 0, Scene.Bytes(3000, 100));
        Assert.Equal(Scene.Bytes(3100), scene.Connection.Taken);
        Assert.Equal(limit, scene.Stack.ReceiveBlocks.InUse);
    }

    [Fact]
    public void A_stream_that_breaks_resets_the_guest()
    {
        Scene scene = Scene.Open();
        scene.Connection.IsBroken = true;
        scene.Send(0, 0, [1]);
        SegmentCopy reset = scene.Next();
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, reset.Flags);
        Assert.Equal(scene.Ours(0), reset.Sequence);
        scene.ExpectEnd(TcpEnd.Broken);
        Assert.True(scene.RemovedWasOpen);
    }

    [Fact]
    public void A_stream_that_breaks_over_what_was_kept_leaves_no_timer()
    {
        Scene scene = Scene.Open();
        scene.Connection.Room = 10;
        scene.Send(20, 0, Scene.Bytes(10, 20));
        scene.Sent.Clear();
        // The first ten are taken; then it breaks over what had waited behind the gap.
        scene.Connection.BreakAfter = 1;
        scene.Connection.Room = int.MaxValue;
        scene.Send(0, 0, Scene.Bytes(20));
        Assert.True(scene.Next().Has(TcpFlags.Rst));
        scene.ExpectEnd(TcpEnd.Broken);
    }

    [Fact]
    public void Sequence_numbers_wrap()
    {
        foreach (uint first in (uint[])[uint.MaxValue - 3_000, int.MaxValue - 3_000u])
        {
            Scene scene = Scene.Open(s_sack, guestFirst: first);
            for (int i = 0; i < 10; i++)
                scene.Send(i * 1000, 0, Scene.Bytes(1000, i * 1000));
            scene.Send(12_000, 0, Scene.Bytes(1000, 12_000));
            Assert.Equal([Block(scene, 12_000, 13_000)], scene.Sent.Last().Blocks);
            scene.Send(10_000, 0, Scene.Bytes(2000, 10_000));
            Assert.Equal(Scene.Bytes(13_000), scene.Connection.Taken);
        }
    }

    private static SackBlock Block(Scene scene, int from, int to) => new(scene.Guest(from), scene.Guest(to));

    private static SegmentCopy Acknowledgment(Scene scene, int place)
    {
        SegmentCopy segment = scene.Next();
        Assert.Equal(scene.Guest(place), segment.Acknowledgment);
        Assert.Empty(segment.Payload);
        return segment;
    }
}
