using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class HostileTests
{
    private const int Segments = 60;

    private static readonly int s_seeds = int.TryParse(Environment.GetEnvironmentVariable("HYPHA_TCP_SEEDS"), out int seeds) ? seeds : 1_500;

    [Fact]
    public void Nothing_that_a_guest_sends_throws_or_takes_more_than_its_share()
    {
        for (int seed = 0; seed < s_seeds; seed++)
        {
            try
            {
                Torment(seed);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {error.Message}", error);
            }
        }
    }

    private static void Torment(int seed)
    {
        var random = new Random(seed);
        Scene scene = InSomeState(random);
        long sentBefore = 0;
        int given = 0;
        for (int i = 0; i < Segments; i++)
        {
            scene.LinkRoom = random.Next(8) == 0 ? random.Next(3) : int.MaxValue;
            switch (random.Next(12))
            {
                case 0:
                    if (scene.Connection.State != TcpState.Closed)
                        scene.Connection.Give(Scene.Bytes(random.Next(1, 20_000), given));
                    break;
                case 1:
                    scene.Connection.GiveEnd();
                    break;
                case 2:
                    if (scene.Connection.Room != int.MaxValue)
                        scene.Connection.Take(random.Next(3) == 0 ? int.MaxValue : random.Next(10_000), scene.Now);
                    break;
                case 3:
                    scene.Pass(random.Next(4) == 0 ? random.NextInt64(10_000L * Scene.Second) : random.Next(Scene.Second));
                    break;
                case 4:
                    scene.RoomAgain(random.Next(3));
                    break;
                default:
                    scene.Deliver(Mutated(random, scene));
                    break;
            }
            if (random.Next(3) > 0)
                scene.Turns();
            sentBefore += scene.Sent.Sum(s => s.Payload.Length + 1L);
            scene.Sent.Clear();
            Assert.InRange(scene.Stack.ReceiveBlocks.InUse, 0, 18);
            Assert.InRange(scene.WaitingForRoom, 0, 1);
        }
        scene.LinkRoom = int.MaxValue;
        scene.Connection.Abort(TcpEnd.Broken);
        scene.Sent.Clear();
        Assert.Equal(TcpState.Closed, scene.Connection.State);
        Assert.NotNull(scene.Connection.Released);
        scene.ExpectNothingHeld();
        Assert.Equal(0, scene.Timers.Count);
    }

    private static Scene InSomeState(Random random)
    {
        var options = new TcpOptions
        {
            SackPermitted = random.Next(2) == 0,
            WindowShift = random.Next(2) == 0 ? (byte)random.Next(15) : null,
            HasTimestamps = random.Next(2) == 0,
            TimestampValue = (uint)random.Next(),
            SegmentSize = (ushort)random.Next(65_536),
        };
        int window = random.Next(2) == 0 ? 1 << 20 : random.Next(1, 100_000);
        uint first = random.Next(3) == 0 ? uint.MaxValue - (uint)random.Next(5_000) : (uint)random.NextInt64(1L << 32);
        ushort offered = random.Next(3) == 0 ? (ushort)random.Next(3) : (ushort)random.Next(65_536);
        Scene scene;
        switch (random.Next(8))
        {
            case 0:
                scene = new Scene(receiveWindow: window, guestFirst: first);
                scene.SendSyn(options);
                return scene;
            case 1:
                scene = new Scene(receiveWindow: window, guestFirst: first);
                scene.SendSyn(options);
                scene.Connection.Accept(scene.Now);
                scene.OurFirst = scene.Next().Sequence;
                return scene;
            case 2:
                scene = new Scene(receiveWindow: window, guestFirst: first);
                scene.Connection.Open(scene.Now);
                scene.OurFirst = scene.Next().Sequence;
                return scene;
        }
        scene = Scene.Open(options, segments: random.Next(2) == 0, receiveWindow: window, guestFirst: first, window: offered);
        scene.Connection.Room = random.Next(2) == 0 ? int.MaxValue : random.Next(5_000);
        int last = 0;
        if (random.Next(2) == 0)
            scene.Give(Scene.Bytes(last = random.Next(1, 30_000)));
        if (random.Next(3) == 0)
            scene.GiveEnd();
        if (random.Next(3) == 0)
            scene.Send(0, 0, Scene.Bytes(random.Next(3_000)), TcpFlags.Fin | TcpFlags.Ack);
        if (random.Next(3) == 0 && scene.Sent.Count > 0)
        {
            SegmentCopy newest = scene.Sent.Last();
            scene.SendAt(scene.Guest(random.Next(2)), newest.Sequence + newest.Payload.Length + (newest.Has(TcpFlags.Fin) ? 1 : 0), TcpFlags.Ack);
        }
        scene.Sent.Clear();
        return scene;
    }

    /// <summary>Mostly near to what is right: what is far from it is soon refused.</summary>
    private static SegmentCopy Mutated(Random random, Scene scene)
    {
        byte[] options = [];
        switch (random.Next(4))
        {
            case 0:
                options = new byte[random.Next(11) * 4];
                random.NextBytes(options);
                break;
            case 1:
                var known = new TcpOptions { HasTimestamps = random.Next(2) == 0, TimestampValue = (uint)random.Next(), TimestampEcho = (uint)random.Next() };
                for (int i = random.Next(5); i > 0; i--)
                    known.Add(new SackBlock(scene.Ours(Near(random)), scene.Ours(Near(random))));
                options = SegmentCopy.Write(known);
                break;
        }
        TcpFlags flags = random.Next(3) == 0 ? (TcpFlags)random.Next(256) : TcpFlags.Ack;
        if (random.Next(4) > 0)
            flags &= ~TcpFlags.Rst;
        byte[] payload = random.Next(2) == 0 ? [] : new byte[random.Next(4) == 0 ? random.Next(60_000) : random.Next(3_000)];
        return new SegmentCopy(scene.Guest(Near(random)), scene.Ours(Near(random)), flags, random.Next(2) == 0 ? (ushort)random.Next(3) : (ushort)random.Next(65_536), options, payload);
    }

    private static int Near(Random random) => random.Next(6) switch
    {
        0 => 0,
        1 => random.Next(-3, 4),
        2 => random.Next(3_000),
        3 => random.Next(-40_000, 40_000),
        4 => random.Next(1 << 20),
        _ => random.Next(int.MinValue, int.MaxValue),
    };
}
