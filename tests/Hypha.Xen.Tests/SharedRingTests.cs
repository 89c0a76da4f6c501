using CsCheck;
using Hypha.Linux;

namespace Hypha.Xen.Tests;

public sealed class SharedRingTests : IDisposable
{
    private readonly MemoryMapping _memory = MemoryMapping.Anonymous(Page.Size);

    public void Dispose() => _memory.Dispose();

    private RingLayout Layout(int size) => new(_memory, ConsumerOffset: 0, ProducerOffset: 4, _memory, DataOffset: 2048, size);

    private void SetIndices(uint consumer, uint producer)
    {
        BitConverter.TryWriteBytes(_memory.Span, consumer);
        BitConverter.TryWriteBytes(_memory.Span[4..], producer);
    }

    [Fact]
    public void Bytes_come_out_in_the_order_in_which_they_went_in_wherever_the_indices_start() =>
        Gen.Select(Gen.UInt, Gen.Int[0, 11], Gen.Int[-70, 70].Array[1, 200]).Sample((start, order, steps) =>
        {
            using MemoryMapping memory = MemoryMapping.Anonymous(Page.Size);
            BitConverter.TryWriteBytes(memory.Span, start);
            BitConverter.TryWriteBytes(memory.Span[4..], start);
            var layout = new RingLayout(memory, 0, 4, memory, 2048, 1 << order);
            SharedRing producer = SharedRing.Producer(layout), consumer = SharedRing.Consumer(layout);
            var model = new Queue<byte>();
            byte next = 0;
            foreach (int step in steps)
            {
                byte[] bytes = new byte[Math.Abs(step)];
                if (step > 0)
                {
                    for (int i = 0; i < bytes.Length; i++)
                        bytes[i] = (byte)(next + i);
                    int expected = Math.Min(bytes.Length, layout.Size - model.Count);
                    if (producer.Available != layout.Size - model.Count || producer.Write(bytes) != expected)
                        return false;
                    for (int i = 0; i < expected; i++)
                        model.Enqueue(next++);
                }
                else
                {
                    int expected = Math.Min(bytes.Length, model.Count);
                    if (consumer.Available != model.Count || consumer.Read(bytes) != expected)
                        return false;
                    for (int i = 0; i < expected; i++)
                        if (bytes[i] != model.Dequeue())
                            return false;
                }
            }

            return !producer.IsBroken && !consumer.IsBroken;
        });

    [Fact]
    public void No_indices_of_a_hostile_peer_move_more_than_the_ring_holds_or_leave_its_memory() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt, Gen.Int[0, 300], Gen.Bool).Sample((own, initial, hostile, length, produces) =>
        {
            using MemoryMapping memory = MemoryMapping.Anonymous(Page.Size);
            memory.Span[2048..].Fill(0xEE);
            memory.Span.Slice(1024, 64).Clear();
            BitConverter.TryWriteBytes(memory.Span, produces ? initial : own);
            BitConverter.TryWriteBytes(memory.Span[4..], produces ? own : initial);
            var layout = new RingLayout(memory, 0, 4, memory, 1024, 64);
            SharedRing ring = produces ? SharedRing.Producer(layout) : SharedRing.Consumer(layout);
            BitConverter.TryWriteBytes(memory.Span[(produces ? 0 : 4)..], hostile);
            byte[] bytes = new byte[length];
            bytes.AsSpan().Fill(0x11);
            int moved = produces ? ring.Write(bytes) : ring.Read(bytes);
            uint filled = produces ? own - hostile : hostile - own;
            return moved is >= 0 and <= 64 && ring.IsBroken == filled > 64
                && memory.Span[2048..].IndexOfAnyExcept((byte)0xEE) < 0 && (!ring.IsBroken || moved == 0);
        });

    [Fact]
    public void A_peer_that_rewrites_our_own_index_changes_nothing()
    {
        SharedRing producer = SharedRing.Producer(Layout(64)), consumer = SharedRing.Consumer(Layout(64));
        producer.Write([1, 2, 3, 4]);
        byte[] read = new byte[2];
        Assert.Equal(2, consumer.Read(read));
        BitConverter.TryWriteBytes(_memory.Span, 0xDEADBEEF); // the consumer's index, which only the consumer writes
        Assert.Equal(2, consumer.Read(read));
        Assert.Equal([3, 4], read);
    }

    [Fact]
    public void A_broken_ring_stays_broken_until_it_is_reset()
    {
        SharedRing consumer = SharedRing.Consumer(Layout(64));
        SetIndices(0, 65);
        Assert.Equal(0, consumer.Read(new byte[10]));
        Assert.True(consumer.IsBroken);
        SetIndices(0, 10);
        Assert.Equal(0, consumer.Read(new byte[10]));
        consumer.Reset();
        Assert.False(consumer.IsBroken);
        SetIndices(10, 13);
        Assert.Equal(3, consumer.Read(new byte[10]));
    }

    [Fact]
    public void A_ring_beyond_its_memory_is_refused()
    {
        Assert.Throws<ArgumentException>(() => SharedRing.Consumer(Layout(4096)));
        Assert.Throws<ArgumentException>(() => SharedRing.Consumer(Layout(48)));
        Assert.Throws<ArgumentException>(() => SharedRing.Consumer(new RingLayout(_memory, 4093, 4, _memory, 0, 64)));
        Assert.Throws<ArgumentException>(() => SharedRing.Consumer(new RingLayout(_memory, 0, -4, _memory, 0, 64)));
    }

    [Fact]
    public void Memory_that_was_unmapped_is_an_exception_and_no_access()
    {
        SharedRing consumer = SharedRing.Consumer(Layout(64));
        SetIndices(0, 10);
        _memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => consumer.Read(new byte[10]));
    }

    [Fact]
    public async Task Two_threads_pass_a_megabyte_through_a_small_ring()
    {
        const int Total = 1 << 20;
        SharedRing producer = SharedRing.Producer(Layout(256)), consumer = SharedRing.Consumer(Layout(256));
        Task writer = Task.Run(() =>
        {
            byte[] chunk = new byte[97];
            for (int sent = 0; sent < Total;)
            {
                int count = Math.Min(chunk.Length, Total - sent);
                for (int i = 0; i < count; i++)
                    chunk[i] = (byte)((sent + i) * 31 >> 3);
                sent += producer.Write(chunk.AsSpan(0, count));
                if (producer.Available == 0)
                    Thread.Yield();
            }
        }, TestContext.Current.CancellationToken);
        byte[] bytes = new byte[113];
        for (int received = 0; received < Total;)
        {
            int count = consumer.Read(bytes);
            for (int i = 0; i < count; i++, received++)
                Assert.Equal((byte)(received * 31 >> 3), bytes[i]);
            if (count == 0)
                Thread.Yield();
        }

        await writer;
    }
}
