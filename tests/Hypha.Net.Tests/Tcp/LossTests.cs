using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class LossTests
{
    private const int Size = 1000;

    [Fact]
    public void Three_duplicates_have_the_first_segment_sent_again_at_once()
    {
        Scene scene = Sent(8, sack: false);
        scene.Send(0, 0);
        scene.Send(0, 0);
        scene.ExpectNothing();
        scene.Send(0, 0);
        scene.ExpectData(0, Size);
        Assert.Equal(1u, scene.Stack.Counters.FastRecoveries);
        scene.ExpectNothing();
        scene.Send(0, 8 * Size);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void An_acknowledgment_with_data_or_another_window_is_no_duplicate()
    {
        Scene scene = Sent(8, sack: false);
        for (int i = 0; i < 5; i++)
        {
            scene.Window--;
            scene.Send(0, 0);
        }
        for (int i = 0; i < 5; i++)
            scene.Send(i, 0, [1]);
        Assert.DoesNotContain(scene.Sent, s => s.Payload.Length > 0);
    }

    [Fact]
    public void A_partial_acknowledgment_names_the_next_loss()
    {
        Scene scene = Sent(10, sack: false);
        for (int i = 0; i < 3; i++)
            scene.Send(0, 0);
        scene.ExpectData(0, Size);
        scene.Send(0, 4 * Size); // RFC 6582 3.2
        scene.ExpectData(4 * Size, Size);
        scene.Send(0, 10 * Size);
        scene.ExpectNothingHeld();
        Assert.Equal(1u, scene.Stack.Counters.FastRecoveries);
    }

    [Fact]
    public void Sack_has_exactly_the_gaps_sent_again()
    {
        Scene scene = Sent(10, sack: true);
        Tell(scene, 0, (1, 2));
        scene.ExpectNothing();
        Tell(scene, 0, (1, 3));
        scene.ExpectNothing();
        Tell(scene, 0, (1, 4)); // RFC 6675 4, IsLost: more than two segments above
        scene.ExpectData(0, Size);
        Tell(scene, 0, (6, 9), (1, 4));
        scene.ExpectData(4 * Size, 2 * Size / 2);
        Tell(scene, 0, (6, 10), (1, 4));
        scene.ExpectData(5 * Size, Size);
        scene.ExpectNothing();
        scene.Send(0, 10 * Size);
        scene.ExpectNothingHeld();
        Assert.Equal(3u, scene.Stack.Counters.Retransmissions);
    }

    [Fact]
    public void Three_parts_above_make_a_gap_lost_however_small_they_are()
    {
        Scene scene = Sent(10, sack: true);
        Tell(scene, 0, (2, 3), (4, 5), (6, 7));
        scene.ExpectData(0, 2 * Size / 2);
    }

    [Fact]
    public void Sack_of_what_was_never_sent_is_not_believed()
    {
        Scene scene = Sent(4, sack: true);
        Tell(scene, 0, (2, 400));
        Tell(scene, 0, (-5, 2));
        Tell(scene, 0, (3, 2));
        scene.ExpectNothing();
        scene.Send(0, 4 * Size);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void The_window_falls_once_for_a_loss()
    {
        Scene scene = Sent(10, sack: true);
        Tell(scene, 0, (1, 10));
        scene.ExpectData(0, Size);
        scene.Send(0, 10 * Size);
        scene.Give(Scene.Bytes(100_000, 10 * Size));
        Assert.Equal(7, scene.Sent.Count); // 0.7 of ten segments (RFC 9438 4.6)
    }

    [Fact]
    public void Nothing_heard_has_it_sent_again_ever_later_and_ends_it_in_the_end()
    {
        Scene scene = Sent(1, sack: true);
        long last = scene.Now;
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(scene.Ours(0), scene.WaitNext(61 * Scene.Second).Sequence);
            long expected = Math.Min(60L, 1 << i) * Scene.Second;
            Assert.InRange(scene.Now - last, expected, expected + 10 * Scene.Millisecond);
            last = scene.Now;
        }
        Assert.True(scene.WaitNext(61 * Scene.Second).Has(TcpFlags.Rst));
        scene.ExpectEnd(TcpEnd.TimedOut);
    }

    [Fact]
    public void After_a_time_out_one_segment_goes_then_two_and_so_on()
    {
        Scene scene = Sent(8, sack: false);
        scene.Pass(1_100 * Scene.Millisecond);
        scene.ExpectData(0, Size);
        scene.ExpectNothing();
        scene.Send(0, Size);
        scene.ExpectData(Size, Size);
        scene.ExpectData(2 * Size, Size);
        scene.ExpectNothing();
        scene.Send(0, 8 * Size); // all of it had come after all
        scene.ExpectNothingHeld();
        scene.Give(Scene.Bytes(20 * Size, 8 * Size));
        Assert.InRange(scene.Sent.Count, 3, 5); // up to the threshold, 0.7 of eight; not twice what came
    }

    [Fact]
    public void A_time_out_is_measured_with_timestamps_and_not_without_when_sent_twice()
    {
        // RFC 6298 2.3: after the handshake's of nearly none, a round trip of 190 ms makes it 190 / 8 + 4 * 190 / 4 ms.
        Scene scene = Scene.Open(new TcpOptions { HasTimestamps = true, TimestampValue = 100 });
        scene.Give(1);
        scene.Echo = scene.Next().Options.TimestampValue;
        scene.Pass(190 * Scene.Millisecond);
        scene.Send(0, 1);
        scene.Give(2);
        long before = scene.Now;
        scene.ExpectData(1, 1);
        scene.Sent.Enqueue(scene.WaitNext(5 * Scene.Second));
        scene.ExpectData(1, 1);
        Assert.InRange(scene.Now - before, 212 * Scene.Millisecond, 220 * Scene.Millisecond);

        // Karn (RFC 6298 3): the answer to what was sent twice tells nothing, and the longer time-out stays.
        scene = Scene.Open();
        scene.Give(1);
        scene.ExpectData(0, 1);
        scene.Pass(1_100 * Scene.Millisecond);
        scene.ExpectData(0, 1);
        scene.Send(0, 1);
        scene.Give(2);
        scene.ExpectData(1, 1);
        scene.Pass(1_900 * Scene.Millisecond);
        scene.ExpectNothing();
        scene.Pass(200 * Scene.Millisecond);
        scene.ExpectData(1, 1);
        // One that went once does tell.
        scene.Send(0, 2);
        scene.Give(3);
        scene.ExpectData(2, 1);
        scene.Pass(10 * Scene.Millisecond);
        scene.Send(0, 3);
        scene.Give(4);
        scene.ExpectData(3, 1);
        scene.Pass(250 * Scene.Millisecond);
        scene.ExpectData(3, 1);
    }

    [Fact]
    public void What_a_guest_told_of_and_threw_away_is_sent_again()
    {
        Scene scene = Sent(5, sack: true);
        Tell(scene, 0, (1, 5));
        scene.ExpectData(0, Size);
        scene.Pass(1_100 * Scene.Millisecond);
        scene.ExpectData(0, Size);
        scene.Pass(2_100 * Scene.Millisecond); // RFC 2018 8: at the second time-out nothing it told of counts
        scene.ExpectData(0, Size);
        scene.Send(0, Size);
        scene.ExpectData(Size, Size);
        scene.ExpectData(2 * Size, Size);
        scene.Send(0, 5 * Size);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void A_guest_that_tells_of_the_very_place_where_it_waits_has_thrown_it_away()
    {
        Scene scene = Sent(5, sack: true);
        Tell(scene, 0, (0, 5));
        scene.Pass(1_100 * Scene.Millisecond);
        scene.ExpectData(0, Size);
    }

    [Fact]
    public void A_fin_that_is_lost_comes_again()
    {
        foreach (bool sack in (bool[])[false, true])
        {
            Scene scene = Sent(1, sack);
            scene.Send(0, Size);
            scene.GiveEnd();
            Assert.True(scene.Next().Has(TcpFlags.Fin));
            SegmentCopy again = scene.WaitNext(2 * Scene.Second);
            Assert.True(again.Has(TcpFlags.Fin));
            Assert.Equal(scene.Ours(Size), again.Sequence);
            scene.Send(0, Size + 1);
            Assert.Equal(TcpState.FinWait2, scene.Connection.State);
            scene.ExpectNothingHeld();
        }
    }

    [Fact]
    public void A_fin_behind_small_blocks_does_not_overtake_what_lies_in_them()
    {
        Scene scene = Scene.Open(new TcpOptions { WindowShift = 7 }, segments: true);
        int place = 0;
        scene.Give(Scene.Bytes(200_000));
        while (place < 200_000) // so that the congestion window grows
        {
            place += scene.Sent.Sum(s => s.Payload.Length);
            scene.Sent.Clear();
            scene.Send(0, place);
        }
        for (int i = 0; i < 15; i++)
        {
            scene.Give(Scene.Bytes(3_500, place)); // a small block each
            place += 3_500;
        }
        scene.GiveEnd();
        Assert.Equal(TcpState.FinWait1, scene.Connection.State);
        scene.Sent.Clear();
        scene.Pass(1_100 * Scene.Millisecond);
        while (scene.Sent.Count > 0 || scene.Connection.State == TcpState.FinWait1)
        {
            SegmentCopy segment = scene.Sent.Count > 0 ? scene.Next() : scene.WaitNext(60 * Scene.Second);
            int at = segment.Sequence - scene.Ours(0);
            Assert.Equal(Scene.Bytes(segment.Payload.Length, at), segment.Payload);
            int end = at + segment.Payload.Length;
            if (segment.Has(TcpFlags.Fin))
                Assert.Equal(place, end);
            scene.Send(0, end + (segment.Has(TcpFlags.Fin) ? 1 : 0));
        }
        Assert.Equal(TcpState.FinWait2, scene.Connection.State);
    }

    [Fact]
    public void Losses_are_seen_quickly_also_after_two_gibibytes()
    {
        Scene scene = Scene.Open(new TcpOptions { SackPermitted = true, WindowShift = 14 }, segments: true);
        SequenceNumber acknowledged = scene.Ours(0);
        // A loss at first, so that there is a recovery's end to remember; and never a moment with nothing under way.
        byte[] chunk = Scene.Bytes(1 << 16);
        long total = 0;
        bool lost = false;
        while (total < 5L << 29) // 2.5 GiB
        {
            for (int i = 0; i < 32; i++)
                scene.Connection.Give(chunk);
            scene.Pass(10 * Scene.Millisecond);
            SegmentCopy[] sent = [.. scene.Sent];
            scene.Sent.Clear();
            if (sent.Length == 0)
                continue;
            if (!lost)
            {
                lost = true;
                SegmentCopy first = sent[0];
                var told = new TcpOptions();
                told.Add(new SackBlock(acknowledged + 1460, first.Sequence + first.Payload.Length));
                scene.SendAt(scene.Guest(0), acknowledged, TcpFlags.Ack, options: told);
                Assert.Equal(1u, scene.Stack.Counters.FastRecoveries);
                scene.Sent.Clear();
            }
            SegmentCopy last = sent[^1];
            total += last.Sequence + last.Payload.Length - 1 - acknowledged;
            acknowledged = last.Sequence + last.Payload.Length - 1; // one byte stays under way
            scene.Deliver(new SegmentCopy(scene.Guest(0), acknowledged, TcpFlags.Ack, scene.Window, [], []));
        }
        scene.Turns();
        uint before = (uint)scene.Stack.Counters.FastRecoveries;
        while (scene.Sent.Sum(s => s.Payload.Length) < 8 * 1460)
        {
            scene.Connection.Give(chunk);
            scene.Turns();
        }
        SegmentCopy newest = scene.Sent.Last();
        var block = new TcpOptions();
        block.Add(new SackBlock(newest.Sequence + newest.Payload.Length - 5 * 1460, newest.Sequence + newest.Payload.Length));
        scene.SendAt(scene.Guest(0), acknowledged, TcpFlags.Ack, options: block);
        Assert.Equal(before + 1, scene.Stack.Counters.FastRecoveries);
    }

    /// <summary>A connection that has so many segments of a thousand bytes under way.</summary>
    private static Scene Sent(int segments, bool sack)
    {
        Scene scene = Scene.Open(new TcpOptions { SegmentSize = Size, SackPermitted = sack });
        scene.Give(Scene.Bytes(segments * Size));
        for (int i = 0; i < segments; i++)
            scene.ExpectData(i * Size, Size);
        return scene;
    }

    private static void Tell(Scene scene, int acknowledges, params (int From, int To)[] blocks)
    {
        var options = new TcpOptions();
        foreach ((int from, int to) in blocks)
            options.Add(new SackBlock(scene.Ours(from * Size), scene.Ours(to * Size)));
        scene.Send(0, acknowledges, options: options);
    }
}
