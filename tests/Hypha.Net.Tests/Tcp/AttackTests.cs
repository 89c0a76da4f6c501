using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>RFC 5961, 7323 5: segments that are not what they seem.</summary>
public sealed class AttackTests
{
    [Fact]
    public void A_reset_counts_only_at_the_very_place_that_is_expected()
    {
        Scene scene = Scene.Open();
        scene.SendAt(scene.Guest(1), default, TcpFlags.Rst);
        scene.ExpectAcknowledgment(0); // RFC 5961 3.2: the guest shall say it again
        scene.SendAt(scene.Guest(60_000), default, TcpFlags.Rst);
        scene.ExpectAcknowledgment(0);
        scene.SendAt(scene.Guest(-1), default, TcpFlags.Rst); // not in the window
        scene.SendAt(scene.Guest(int.MaxValue), default, TcpFlags.Rst);
        scene.ExpectNothing();
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.SendAt(scene.Guest(0), default, TcpFlags.Rst);
        scene.ExpectEnd(TcpEnd.ResetByGuest);
        Assert.Equal(1u, scene.Stack.Counters.ResetsIn);
    }

    [Fact]
    public void A_reset_needs_no_timestamp()
    {
        Scene scene = Scene.Open(new TcpOptions { HasTimestamps = true, TimestampValue = 9 });
        scene.SendAt(scene.Guest(0), default, TcpFlags.Rst);
        scene.ExpectEnd(TcpEnd.ResetByGuest);
    }

    [Fact]
    public void A_syn_into_an_open_connection_is_challenged()
    {
        Scene scene = Scene.Open();
        foreach (int place in (int[])[0, 1, 1000, -500, int.MinValue])
        {
            scene.SendAt(scene.Guest(place), default, TcpFlags.Syn);
            scene.ExpectAcknowledgment(0);
        }
        scene.SendAt(scene.Guest(0), scene.Ours(0), TcpFlags.Syn | TcpFlags.Ack);
        scene.ExpectAcknowledgment(0);
        Assert.Equal(TcpState.Established, scene.Connection.State);
    }

    [Fact]
    public void A_guest_that_began_anew_gets_its_old_connection_out_of_the_way()
    {
        Scene scene = Scene.Open();
        scene.SendAt(scene.Guest(123_456_789), default, TcpFlags.Syn);
        SegmentCopy challenge = scene.Next();
        // RFC 9293 3.10.7.3: the guest, in SYN-SENT, resets what acknowledges nothing of its own.
        scene.SendAt(challenge.Acknowledgment, default, TcpFlags.Rst);
        scene.ExpectEnd(TcpEnd.ResetByGuest);
    }

    [Fact]
    public void Challenges_are_few()
    {
        Scene scene = Scene.Open();
        for (int i = 0; i < 1_000; i++)
            scene.SendAt(scene.Guest(1 + i), default, TcpFlags.Rst);
        Assert.Equal(100, scene.Sent.Count);
        Assert.Equal(1_000u, scene.Stack.Counters.Challenges);
        scene.Sent.Clear();
        scene.Pass(Scene.Second);
        scene.SendAt(scene.Guest(1), default, TcpFlags.Rst);
        scene.ExpectAcknowledgment(0);
    }

    [Fact]
    public void Data_with_an_acknowledgment_of_what_was_not_sent_is_not_taken()
    {
        Scene scene = Scene.Open();
        foreach (int acknowledges in (int[])[1, 70_000, int.MaxValue, int.MinValue, int.MinValue + 1, -70_000])
        {
            scene.Send(0, acknowledges, [1]);
            scene.ExpectAcknowledgment(0);
        }
        Assert.Empty(scene.Connection.Taken);
        scene.Send(0, -60_000, [1]); // old, as one that was long on its way
        Assert.Equal([1], scene.Connection.Taken);
    }

    [Fact]
    public void Data_without_an_acknowledgment_is_not_taken()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, [1], TcpFlags.None);
        scene.Send(0, 0, [1], TcpFlags.Psh);
        scene.Send(0, 0, [1], TcpFlags.Fin);
        scene.ExpectNothing();
        Assert.Empty(scene.Connection.Taken);
        Assert.Equal(TcpState.Established, scene.Connection.State);
    }

    [Fact]
    public void Data_far_from_the_window_is_not_taken()
    {
        Scene scene = Scene.Open(receiveWindow: 10_000);
        foreach (int place in (int[])[10_000, 100_000, int.MaxValue, int.MinValue, -100])
        {
            scene.Send(place, 0, Scene.Bytes(10));
            scene.ExpectAcknowledgment(0);
        }
        Assert.Empty(scene.Connection.Taken);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void An_old_timestamp_is_a_duplicates()
    {
        Scene scene = Scene.Open(new TcpOptions { HasTimestamps = true, TimestampValue = 1_000 });
        scene.Stamp = 999;
        scene.Send(0, 0, [1]);
        scene.ExpectAcknowledgment(0);
        Assert.Empty(scene.Connection.Taken);
        scene.Stamp = 1_000 + uint.MaxValue / 2; // the furthest ahead
        scene.Send(0, 0, [1]);
        Assert.Equal([1], scene.Connection.Taken);
        scene.Stamp = 1_000;
        scene.Send(1, 0, [2]);
        Assert.Single(scene.Connection.Taken);
    }

    [Fact]
    public void A_timestamp_that_went_around_in_a_long_silence_is_taken()
    {
        Scene scene = Scene.Open(new TcpOptions { HasTimestamps = true, TimestampValue = 1_000 });
        scene.Pass(2_400L * Scene.Second);
        scene.Stamp = unchecked(1_000 + 2_400_000_000u); // a clock of microseconds
        scene.Send(0, 0, [1]);
        Assert.Equal([1], scene.Connection.Taken);
    }

    [Fact]
    public void The_timestamp_told_back_is_of_the_segment_that_was_waited_for()
    {
        Scene scene = Scene.Open(new TcpOptions { HasTimestamps = true, TimestampValue = 10 });
        scene.Stamp = 20;
        scene.Send(0, 0, [1]);
        scene.Stamp = 30; // RFC 7323 4.3 (A): the first of those that one acknowledgment answers
        scene.Send(1, 0, [2]);
        Assert.Equal(20u, scene.WaitNext(Scene.Second).Options.TimestampEcho);
        scene.Stamp = 40;
        scene.Send(10, 0, [9]); // behind a gap (B): the last before it
        Assert.NotEqual(40u, scene.Next().Options.TimestampEcho);
        scene.Stamp = 50;
        scene.Send(2, 0, Scene.Bytes(8)); // fills it (C)
        Assert.Equal(50u, scene.Next().Options.TimestampEcho);
        scene.Stamp = 60;
        scene.Send(2, 0, Scene.Bytes(8)); // again, as our acknowledgment was lost
        Assert.Equal(60u, scene.Next().Options.TimestampEcho);
    }
}
