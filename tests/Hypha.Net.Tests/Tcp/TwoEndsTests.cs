using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>Whatever the link does, both ends get what the other sent, and nothing is left. HYPHA_TCP_SEEDS asks for more seeds than usual, HYPHA_TCP_FIRST_SEED for others.</summary>
public sealed class TwoEndsTests
{
    private const long Hour = 3_600L * Scene.Second;

    private static readonly int s_first = int.TryParse(Environment.GetEnvironmentVariable("HYPHA_TCP_FIRST_SEED"), out int first) ? first : 0;
    private static readonly int s_seeds = int.TryParse(Environment.GetEnvironmentVariable("HYPHA_TCP_SEEDS"), out int seeds) ? seeds : 600;

    [Fact]
    public void Two_of_ours_give_each_other_what_they_sent_over_a_bad_link() => Each(seed =>
    {
        var simulation = new Simulation(seed);
        FlowKey key = Scene.Key;
        int toGuest = Length(simulation.Random), fromGuest = Length(simulation.Random);
        var ours = new ConnectionEnd(simulation, key, toGuest);
        var guest = new ConnectionEnd(simulation, new FlowKey(key.Remote, key.RemotePort, key.Guest, key.GuestPort), fromGuest);
        ours.Link = new BadLink(simulation, key, guest.Deliver);
        guest.Link = new BadLink(simulation, guest.Key, ours.Deliver);
        guest.Open();
        bool done = simulation.RunUntil(() => ours.IsRemoved && guest.IsRemoved, Hour);
        AssertGot("ours", ours, fromGuest, done);
        AssertGot($"after {simulation.Now / Scene.Second} s, ours {ours.Connection.State}, {ours.Connection.Released}, {ours.Stack.Counters.TimeOuts} time-outs, {ours.Stack.Counters.SegmentsOut} out, {ours.Connection.BytesToGuest} acknowledged, {ours.Stack.SendBlocks.InUse} of {ours.Stack.SendBlocks.Limit} blocks; the guest", guest, toGuest, done);
        Assert.True(done, $"ours {ours.Connection.State}, guest {guest.Connection.State}");
        Assert.Equal(0, simulation.Timers.Count);
        // A connection that waits for stragglers may be gone before the last acknowledgment has come through.
        Assert.Contains(ours.Connection.Released, new TcpEnd?[] { TcpEnd.Finished, TcpEnd.ResetByGuest });
    });

    [Fact]
    public void Ours_and_a_naive_peer_that_opens_give_each_other_what_they_sent() => Each(seed => WithNaive(seed, oursOpens: false));

    [Fact]
    public void Ours_opening_to_a_naive_peer_and_it_give_each_other_what_they_sent() => Each(seed => WithNaive(seed, oursOpens: true));

    private static void WithNaive(int seed, bool oursOpens)
    {
        var simulation = new Simulation(seed);
        int toGuest = Length(simulation.Random) / 4, fromGuest = Length(simulation.Random) / 4;
        var ours = new ConnectionEnd(simulation, Scene.Key, toGuest);
        var peer = new NaivePeer(simulation, fromGuest);
        ours.Link = new BadLink(simulation, Scene.Key, peer.Deliver);
        FlowKey key = Scene.Key;
        peer.Link = new BadLink(simulation, new FlowKey(key.Remote, key.RemotePort, key.Guest, key.GuestPort), ours.Deliver);
        if (oursOpens)
            ours.Open();
        else
            peer.Open();
        bool done = simulation.RunUntil(() => ours.IsRemoved && (peer.IsDone || peer.WasReset), Hour);
        string state = $"ours {ours.Connection.State}, {ours.Connection.Released} after {simulation.Now / Scene.Second} s, {ours.Connection.Taken.Count} of {fromGuest}; {ours.Stack.Counters.TimeOuts} time-outs; the peer {peer.Taken.Count} of {toGuest}, reset {peer.WasReset}";
        Assert.True(peer.Taken.SequenceEqual(Scene.Bytes(toGuest)), state);
        Assert.True(peer.EndTaken, state);
        AssertGot("ours", ours, fromGuest, done);
        Assert.True(done, state);
        Assert.Equal(0, simulation.Timers.Count);
        Assert.Equal(TcpEnd.Finished, ours.Connection.Released);
    }

    private static void AssertGot(string who, ConnectionEnd end, int length, bool done)
    {
        string state = $"{who}: {end.Connection.State}, {end.Connection.Released}, {end.Connection.Taken.Count} of {length}; {end.Stack.ReceiveBlocks.Limit} blocks, {end.Stack.Counters.NoBuffer} times none, room {end.Connection.Room}";
        Assert.True(end.Connection.Taken.SequenceEqual(Scene.Bytes(length)), state);
        Assert.True(end.Connection.EndWritten, state);
        if (!done)
            return;
        Assert.Equal(0, end.Opening);
        Assert.Equal(0, end.Stack.SendBlocks.InUse);
        Assert.Equal(0, end.Stack.SmallSendBlocks.InUse);
        Assert.Equal(0, end.Stack.ReceiveBlocks.InUse);
    }

    private static int Length(Random random) => random.Next(10) switch { 0 => 0, 1 => 1, < 7 => random.Next(5_000), < 9 => random.Next(60_000), _ => random.Next(300_000) };

    private static void Each(Action<int> test)
    {
        for (int seed = s_first; seed < s_first + s_seeds; seed++)
        {
            try
            {
                test(seed);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {error.Message}", error);
            }
        }
    }
}
