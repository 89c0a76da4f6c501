using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class ClosingTests
{
    private const TcpFlags Fin = TcpFlags.Fin | TcpFlags.Ack;

    [Fact]
    public void The_guest_ends_first_and_still_gets_data()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, Scene.Bytes(10), Fin);
        scene.ExpectAcknowledgment(11);
        Assert.True(scene.Connection.EndWritten);
        Assert.Equal(TcpState.CloseWait, scene.Connection.State);
        scene.Give(Scene.Bytes(3000));
        scene.ExpectData(0, 1460);
        scene.ExpectData(1460, 1460);
        scene.ExpectData(2920, 80);
        scene.Send(11, 3000);
        scene.GiveEnd();
        SegmentCopy fin = scene.Next();
        Assert.Equal(Fin, fin.Flags);
        Assert.Equal(TcpState.LastAck, scene.Connection.State);
        scene.Send(11, 3001);
        scene.ExpectEnd(TcpEnd.Finished);
    }

    [Fact]
    public void The_stream_ends_first_and_still_takes_data()
    {
        Scene scene = Scene.Open();
        scene.Connection.Give(1, 2);
        scene.GiveEnd();
        scene.ExpectData(0, 2);
        Assert.True(scene.Next().Has(TcpFlags.Fin));
        Assert.Equal(TcpState.FinWait1, scene.Connection.State);
        scene.Send(0, 3);
        Assert.Equal(TcpState.FinWait2, scene.Connection.State);
        scene.Send(0, 3, Scene.Bytes(5000));
        scene.ExpectAcknowledgment(5000);
        scene.Send(5000, 3, flags: Fin);
        scene.ExpectAcknowledgment(5001);
        Assert.Equal(TcpState.TimeWait, scene.Connection.State);
        Assert.Equal(TcpEnd.Finished, scene.Connection.Released); // the stream need not wait for stragglers
        scene.ExpectNothingHeld();
        scene.Pass(2 * Scene.Second);
        scene.ExpectEnd(TcpEnd.Finished);
        Assert.Equal(Scene.Bytes(5000), scene.Connection.Taken);
    }

    [Fact]
    public void A_fin_that_answers_ours_ends_both_at_once()
    {
        Scene scene = Scene.Open();
        scene.GiveEnd();
        scene.Next();
        scene.Send(0, 1, flags: Fin);
        scene.ExpectAcknowledgment(1);
        Assert.Equal(TcpState.TimeWait, scene.Connection.State);
    }

    [Fact]
    public void Both_end_at_the_same_time()
    {
        Scene scene = Scene.Open();
        scene.GiveEnd();
        scene.Next();
        scene.Send(0, 0, flags: Fin);
        scene.ExpectAcknowledgment(1);
        Assert.Equal(TcpState.Closing, scene.Connection.State);
        scene.Send(1, 1);
        Assert.Equal(TcpState.TimeWait, scene.Connection.State);
        Assert.Equal(TcpEnd.Finished, scene.Connection.Released);
        scene.Pass(2 * Scene.Second);
        scene.ExpectEnd(TcpEnd.Finished);
    }

    [Fact]
    public void A_fin_again_is_acknowledged_again()
    {
        Scene scene = Scene.Open();
        scene.GiveEnd();
        scene.Next();
        scene.Send(0, 1, flags: Fin);
        scene.ExpectAcknowledgment(1);
        scene.Send(0, 1, flags: Fin);
        scene.ExpectAcknowledgment(1);
    }

    [Fact]
    public void A_fin_behind_a_gap_counts_once_the_gap_is_filled_and_it_comes_again()
    {
        Scene scene = Scene.Open();
        scene.Send(100, 0, Scene.Bytes(100, 100), Fin);
        scene.ExpectAcknowledgment(0);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.Send(0, 0, Scene.Bytes(100));
        Assert.Equal(scene.Guest(200), scene.WaitNext(Scene.Second).Acknowledgment);
        scene.Send(100, 0, Scene.Bytes(100, 100), Fin);
        scene.ExpectAcknowledgment(201);
        Assert.Equal(Scene.Bytes(200), scene.Connection.Taken);
        Assert.True(scene.Connection.EndWritten);
    }

    [Fact]
    public void A_fin_whose_data_goes_beyond_the_window_counts_only_when_all_of_it_came()
    {
        Scene scene = Scene.Open(receiveWindow: 1_000);
        scene.Connection.Room = 0;
        scene.Send(0, 0, Scene.Bytes(1001), Fin);
        scene.ExpectAcknowledgment(1000);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.Take(int.MaxValue);
        scene.ExpectAcknowledgment(1000);
        scene.Send(1000, 0, Scene.Bytes(1, 1000), Fin);
        scene.ExpectAcknowledgment(1002);
        Assert.Equal(Scene.Bytes(1001), scene.Connection.Taken);
        Assert.True(scene.Connection.EndWritten);
    }

    [Fact]
    public void What_lay_ahead_of_a_fin_is_not_waited_for()
    {
        Scene scene = Scene.Open(new TcpOptions { SackPermitted = true });
        scene.Send(500, 0, Scene.Bytes(10));
        scene.Sent.Clear();
        scene.Send(0, 0, Scene.Bytes(10), Fin);
        Assert.Empty(scene.Next().Blocks);
        Assert.True(scene.Connection.EndWritten);
        scene.ExpectNothingHeld();
    }

    [Fact]
    public void Data_behind_the_guests_end_is_not_taken()
    {
        Scene scene = Scene.Open();
        scene.Send(0, 0, flags: Fin);
        scene.Send(1, 0, Scene.Bytes(10));
        scene.Send(1, 0, flags: Fin);
        Assert.Empty(scene.Connection.Taken);
        Assert.Equal(TcpState.CloseWait, scene.Connection.State);
    }

    [Fact]
    public void A_fin_waits_for_a_window()
    {
        Scene scene = Scene.Open();
        scene.Window = 0;
        scene.Send(0, 0);
        scene.GiveEnd();
        scene.ExpectNothing();
        SegmentCopy probe = scene.WaitNext(5 * Scene.Second);
        Assert.Equal(scene.Ours(-1), probe.Sequence);
        scene.Window = 65_535;
        scene.Send(0, 0);
        Assert.True(scene.Next().Has(TcpFlags.Fin));
        scene.Send(0, 1);
        Assert.Equal(TcpState.FinWait2, scene.Connection.State);

        // A window that is just full has no place for it either.
        scene = Scene.Open(window: 1460);
        scene.Connection.Give(Scene.Bytes(1460));
        scene.GiveEnd();
        scene.ExpectData(0, 1460);
        scene.ExpectNothing();
        scene.Send(0, 1460);
        Assert.True(scene.Next().Has(TcpFlags.Fin));
    }

    [Fact]
    public void While_waiting_for_stragglers_the_stream_takes_all_that_it_has_not_yet()
    {
        Scene scene = Scene.Open();
        scene.Connection.Room = 100;
        scene.GiveEnd();
        scene.Next();
        scene.Send(0, 1, Scene.Bytes(5000), Fin);
        scene.ExpectAcknowledgment(5001);
        Assert.Equal(TcpState.TimeWait, scene.Connection.State);
        scene.Pass(100L * Scene.Second);
        Assert.Null(scene.Connection.Released);
        scene.SendAt(scene.Guest(5001), scene.Ours(1), TcpFlags.Rst); // RFC 1337: nothing is lost by that
        Assert.Null(scene.Connection.Released);
        scene.Take(1000);
        Assert.False(scene.Connection.EndWritten);
        scene.Take(int.MaxValue);
        Assert.Equal(Scene.Bytes(5000), scene.Connection.Taken);
        Assert.True(scene.Connection.EndWritten);
        Assert.Equal(TcpEnd.Finished, scene.Connection.Released);
        scene.Pass(2 * Scene.Second);
        scene.ExpectEnd(TcpEnd.Finished);
    }

    [Fact]
    public void While_the_last_acknowledgment_was_had_the_stream_takes_all_that_it_has_not_yet()
    {
        Scene scene = Scene.Open();
        scene.Connection.Room = 0;
        scene.Send(0, 0, Scene.Bytes(5000), Fin);
        scene.GiveEnd();
        scene.Send(5001, 1);
        Assert.Equal(TcpState.LastAck, scene.Connection.State);
        scene.Sent.Clear();
        scene.Take(int.MaxValue);
        Assert.Equal(Scene.Bytes(5000), scene.Connection.Taken);
        scene.ExpectEnd(TcpEnd.Finished);
    }

    [Fact]
    public void A_guest_that_is_gone_after_its_end_loses_nothing_that_was_acknowledged()
    {
        Scene scene = Scene.Open();
        scene.Connection.Room = 0;
        scene.Send(0, 0, Scene.Bytes(5000), Fin);
        scene.GiveEnd();
        Assert.Equal(TcpState.LastAck, scene.Connection.State);
        scene.SendAt(scene.Guest(5001), default, TcpFlags.Rst);
        scene.Sent.Clear();
        Assert.Null(scene.Connection.Released);
        scene.Take(int.MaxValue);
        Assert.Equal(Scene.Bytes(5000), scene.Connection.Taken);
        scene.Pass(2 * Scene.Second);
        scene.ExpectEnd(TcpEnd.Finished);
    }

    [Fact]
    public void A_new_syn_takes_the_place_of_one_that_waits_for_stragglers()
    {
        Scene scene = Waiting(default);
        Assert.False(scene.Connection.TryReplace(Syn(scene, 0)));  // old
        Assert.False(scene.Connection.TryReplace(Syn(scene, 1)));
        Assert.True(scene.Connection.TryReplace(Syn(scene, 2)));   // beyond all that was said
        scene.ExpectEnd(TcpEnd.Finished);

        // RFC 6191: or a newer timestamp.
        scene = Waiting(new TcpOptions { HasTimestamps = true, TimestampValue = 500 });
        Assert.False(scene.Connection.TryReplace(Syn(scene, -1000, new TcpOptions { HasTimestamps = true, TimestampValue = 500 })));
        Assert.True(scene.Connection.TryReplace(Syn(scene, -1000, new TcpOptions { HasTimestamps = true, TimestampValue = 501 })));
    }

    [Fact]
    public void No_syn_takes_the_place_while_the_stream_still_takes()
    {
        Scene scene = Scene.Open();
        scene.Connection.Room = 0;
        scene.GiveEnd();
        scene.Send(0, 1, [1], Fin);
        Assert.False(scene.Connection.TryReplace(Syn(scene, 100)));
    }

    [Fact]
    public void A_stream_that_breaks_resets_the_guest_in_whatever_state()
    {
        Scene scene = Scene.Open();
        scene.Connection.StreamBroken();
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, scene.Next().Flags);
        scene.ExpectEnd(TcpEnd.Broken);
        scene.Connection.StreamBroken();
        scene.Connection.StreamReadable();
        scene.Connection.StreamWritable(scene.Now);
        scene.Send(0, 0, [1]);
        scene.ExpectNothing();

        scene = new Scene();
        scene.Connection.Open(scene.Now);
        scene.OurFirst = scene.Next().Sequence;
        scene.Connection.StreamBroken();
        SegmentCopy reset = scene.Next();
        Assert.True(reset.Has(TcpFlags.Rst));
        Assert.Equal(scene.Ours(0), reset.Sequence); // as a guest in SYN-RECEIVED takes it
        scene.ExpectEnd(TcpEnd.Broken);

        scene = Scene.Open();
        scene.Give(Scene.Bytes(3000));
        scene.Sent.Clear();
        scene.Connection.StreamBroken();
        Assert.Equal(scene.Ours(3000), scene.Next().Sequence);
        scene.ExpectEnd(TcpEnd.Broken);
    }

    private static Scene Waiting(TcpOptions options)
    {
        Scene scene = Scene.Open(options);
        scene.GiveEnd();
        scene.Next();
        scene.Send(0, 1, flags: Fin);
        scene.ExpectAcknowledgment(1);
        Assert.Equal(TcpState.TimeWait, scene.Connection.State);
        return scene;
    }

    private static TcpSegment Syn(Scene scene, int place, TcpOptions options = default)
    {
        byte[] bytes = new SegmentCopy(scene.Guest(place), default, TcpFlags.Syn, 1000, SegmentCopy.Write(options), []).Bytes(default, 0, default, 0);
        Assert.Equal(WireFault.None, TcpSegment.TryParse(bytes, default, default, out TcpSegment segment, checkSum: false));
        return segment;
    }
}
