using Hypha.Net.Capture;
using Hypha.Net.Wire;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Tests.Capture;

public sealed class FrameCaptureTests
{
    private static readonly byte[] s_frame = Frames.V4(IpProtocol.Tcp, "10.75.0.2", "192.0.2.2", 4_000, 80);

    [Fact]
    public void A_file_begins_with_a_section_and_an_interface()
    {
        // draft-ietf-opsawg-pcapng 4.1, 4.2.
        const string section = "0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0800 68797068616e6574 00000000 2c000000";
        const string description = "01000000 30000000 0100 0000 80000000 0200 0400 76696631 0900 0100 09000000 0b00 0400 00746370 00000000 30000000";
        Assert.Equal(Frames.FromHex(section + description), Pcapng.Begin("vif1", 128, "tcp"));
    }

    [Fact]
    public async Task Frames_are_kept_with_time_direction_and_both_lengths()
    {
        var capture = new FrameCapture("vif1.0", CaptureFilter.None, snapLength: 53);
        DateTime before = DateTime.UtcNow;
        capture.Take(FrameDirection.Inbound, s_frame);
        capture.Take(FrameDirection.Outbound, s_frame.AsSpan(0, 14), s_frame.AsSpan(14, 20), s_frame.AsSpan(34));
        capture.Take(FrameDirection.Outbound, s_frame.AsSpan(0, 14), s_frame.AsSpan(14, 2));
        capture.End();
        capture.Take(FrameDirection.Inbound, s_frame);
        List<Block> blocks = Blocks(await ReadAll(capture));
        Assert.Equal([0x0A0D0D0Au, 1u, 6u, 6u, 6u, 5u], blocks.Select(block => block.Type));
        foreach (var (block, direction, length, original) in new[] { (blocks[2], 1, 53, 54), (blocks[3], 2, 53, 54), (blocks[4], 2, 16, 16) })
        {
            ReadOnlySpan<byte> body = block.Body;
            Assert.Equal((0u, (uint)length, (uint)original), (ReadUInt32LittleEndian(body), ReadUInt32LittleEndian(body[12..]), ReadUInt32LittleEndian(body[16..])));
            ulong time = (ulong)ReadUInt32LittleEndian(body[4..]) << 32 | ReadUInt32LittleEndian(body[8..]);
            Assert.InRange(DateTime.UnixEpoch.AddTicks((long)(time / 100)), before, DateTime.UtcNow);
            Assert.Equal(s_frame[..length], body.Slice(20, length));
            int options = 20 + ((length + 3) & ~3);
            Assert.Equal(Frames.FromHex($"0200 0400 0{direction}000000 00000000"), body[options..]);
        }
        byte[] statistics = blocks[5].Body;
        Assert.Equal((3ul, 0ul, 3ul), (ReadUInt64LittleEndian(statistics.AsSpan(16)), ReadUInt64LittleEndian(statistics.AsSpan(28)), ReadUInt64LittleEndian(statistics.AsSpan(40))));
    }

    [Fact]
    public async Task It_ends_after_the_frames_that_were_asked_for_and_a_filter_leaves_out_the_rest()
    {
        var capture = new FrameCapture("vif1.0", CaptureFilter.Parse("tcp port 80"), count: 2);
        for (int i = 0; i < 3; i++)
        {
            capture.Take(FrameDirection.Inbound, Frames.Arp());
            capture.Take(FrameDirection.Outbound, s_frame.AsSpan(0, 34), s_frame.AsSpan(34)); // its ports lie in another piece
        }
        List<Block> blocks = Blocks(await ReadAll(capture));
        Assert.Equal([0x0A0D0D0Au, 1u, 6u, 6u, 5u], blocks.Select(block => block.Type));
        Assert.Equal((4ul, 2ul), (ReadUInt64LittleEndian(blocks[4].Body.AsSpan(16)), ReadUInt64LittleEndian(blocks[4].Body.AsSpan(40))));
        Assert.Equal(2ul, capture.Taken);
    }

    [Fact]
    public async Task What_a_slow_reader_has_no_room_for_is_dropped_and_counted_and_the_file_stays_whole()
    {
        var capture = new FrameCapture("vif1.0", CaptureFilter.None, capacity: 1_024);
        for (int i = 0; i < 100; i++)
            capture.Take(FrameDirection.Inbound, s_frame);
        Assert.InRange(capture.Dropped, 85ul, 99ul);
        Assert.Equal(100ul, capture.Taken + capture.Dropped);
        // What is read makes room; the ring wraps.
        using var file = new MemoryStream();
        byte[] piece = new byte[100];
        for (int i = 0; i < 100; i++)
        {
            file.Write(piece, 0, await capture.ReadAsync(piece, default));
            capture.Take(FrameDirection.Inbound, s_frame);
        }
        capture.End();
        file.Write(await ReadAll(capture));
        List<Block> blocks = Blocks(file.ToArray());
        Assert.Equal(capture.Taken, (ulong)blocks.Count(block => block.Type == 6));
        Assert.All(blocks.Where(block => block.Type == 6), block => Assert.Equal(s_frame, block.Body[20..74]));
        Assert.Equal(capture.Dropped, ReadUInt64LittleEndian(blocks[^1].Body.AsSpan(28)));
    }

    [Fact]
    public async Task A_reader_on_another_thread_gets_every_byte_in_order()
    {
        var capture = new FrameCapture("vif1.0", CaptureFilter.None, capacity: 4_096);
        Task<byte[]> reading = Task.Run(() => ReadAll(capture));
        byte[] frame = new byte[60];
        for (uint i = 0; i < 20_000; i++)
        {
            WriteUInt32LittleEndian(frame, i);
            capture.Take(FrameDirection.Inbound, frame);
            if (i % 100 == 0)
                await Task.Delay(1);
        }
        capture.End();
        uint[] numbers = [.. Blocks(await reading.WaitAsync(TimeSpan.FromSeconds(30))).Where(block => block.Type == 6).Select(block => ReadUInt32LittleEndian(block.Body.AsSpan(20)))];
        Assert.Equal(capture.Taken, (ulong)numbers.Length);
        Assert.True(numbers.Zip(numbers.Skip(1)).All(pair => pair.First < pair.Second));
    }

    [Fact]
    public void To_take_a_frame_allocates_nothing()
    {
        var capture = new FrameCapture("vif1.0", CaptureFilter.Parse("tcp port 80"));
        // The compiler, which comes back to what runs often, allocates a little of its own on this thread.
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10_000; i++)
                capture.Take(FrameDirection.Outbound, s_frame.AsSpan(0, 34), s_frame.AsSpan(34));
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    private static async Task<byte[]> ReadAll(FrameCapture capture)
    {
        using var file = new MemoryStream();
        byte[] piece = new byte[777];
        int length;
        while ((length = await capture.ReadAsync(piece, default)) > 0)
            file.Write(piece, 0, length);
        return file.ToArray();
    }

    /// <summary>Cuts a file into its blocks, whose lengths stand at both ends.</summary>
    private static List<Block> Blocks(byte[] file)
    {
        var blocks = new List<Block>();
        for (int at = 0; at < file.Length;)
        {
            int length = ReadInt32LittleEndian(file.AsSpan(at + 4));
            Assert.Equal(0, length % 4);
            Assert.Equal(length, ReadInt32LittleEndian(file.AsSpan(at + length - 4)));
            blocks.Add(new Block(ReadUInt32LittleEndian(file.AsSpan(at)), file[(at + 8)..(at + length - 4)]));
            at += length;
        }
        return blocks;
    }

    private sealed record Block(uint Type, byte[] Body);
}
