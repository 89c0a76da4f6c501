using Hypha.Net.Loop;

namespace Hypha.Net.Tcp;

/// <summary>What the connections of one guest share: its buffers, its limits, its counters.</summary>
public sealed class TcpStack(ITcpNetwork network, TimerWheel timers, int mtu, bool segments)
{
    /// <summary>The longest payload that goes with one header: an IP packet's 65,535 bytes less the headers.</summary>
    internal const int LongestPayload = 65_535 - 40 - 60;

    /// <summary>Empty queues and buffers of connections that are kept for the next; each is some hundred bytes.</summary>
    internal const int QueuesKept = 256;

    public const int LargeBlock = 65_536, SmallBlock = 4_096; // bytes

    public ITcpNetwork Network { get; } = network;

    public TimerWheel Timers { get; } = timers;

    /// <summary>Bytes of an IP packet on the guest's link.</summary>
    public int Mtu { get; } = mtu;

    /// <summary>Data for the guest that it has not acknowledged.</summary>
    public BlockPool SendBlocks { get; init; } = new(LargeBlock, limit: 160, keep: 48);

    public BlockPool SmallSendBlocks { get; init; } = new(SmallBlock, limit: 2_048, keep: 512);

    /// <summary>Data from the guest that came out of order, or that the other side does not take yet.</summary>
    public BlockPool ReceiveBlocks { get; init; } = new(LargeBlock, limit: 128, keep: 32);

    internal void ReturnSendBlock(byte[] block)
    {
        if (block.Length != LargeBlock)
        {
            SmallSendBlocks.Return(block);
            return;
        }
        SendBlocks.Return(block);
        Network.BuffersFreed();
    }

    internal Stack<SendQueue> SendQueues { get; } = new();

    internal Stack<ReceiveBuffer> ReceiveBuffers { get; } = new();

    /// <summary>Bytes of a connection's data that the guest may have sent ahead of the other side.</summary>
    public int ReceiveWindow { get; init; } = 1 << 20;

    /// <summary>Bytes of a connection that may be under way to the guest.</summary>
    public int SendLimit { get; init; } = 2 << 20;

    public TcpCounters Counters;

    /// <summary>RFC 5961 7: answers to what may be an attack are few.</summary>
    private const int ChallengesPerSecond = 100;
    private long _challengeSecond;
    private int _challenges;

    internal bool MayChallenge(long now)
    {
        long second = now / MonotonicClock.Second;
        if (second != _challengeSecond)
            (_challengeSecond, _challenges) = (second, 0);
        return _challenges++ < ChallengesPerSecond;
    }

    /// <summary>The longest payload to send with one header, a whole number of segments.</summary>
    internal int LargestPayload(int segmentSize) => segments ? Math.Max(1, LongestPayload / segmentSize) * segmentSize : segmentSize;
}

/// <summary>What happened on a guest's connections since its link came up.</summary>
public struct TcpCounters
{
    public ulong SegmentsIn, SegmentsOut, BytesIn, BytesOut;
    public ulong Retransmissions, TimeOuts, FastRecoveries, OutOfOrder, Duplicates;
    public ulong Challenges, ResetsIn, ResetsOut, Unacceptable;

    /// <summary>Data dropped since the guest's buffers were used up.</summary>
    public ulong NoBuffer;
}
