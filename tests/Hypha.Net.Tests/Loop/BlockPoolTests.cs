using Hypha.Net.Loop;

namespace Hypha.Net.Tests.Loop;

public sealed class BlockPoolTests
{
    [Fact]
    public void No_more_blocks_than_the_limit_are_out_and_none_twice()
    {
        var pool = new BlockPool(100, limit: 5, keep: 2);
        var random = new Random(1);
        var rented = new List<byte[]>();
        for (int i = 0; i < 10_000; i++)
        {
            if (random.Next(2) == 0)
            {
                byte[]? block = pool.Rent();
                Assert.Equal(rented.Count == 5, block is null);
                if (block is null)
                    continue;
                Assert.Equal(100, block.Length);
                Assert.DoesNotContain(rented, other => ReferenceEquals(other, block));
                rented.Add(block);
            }
            else if (rented.Count > 0)
            {
                int at = random.Next(rented.Count);
                pool.Return(rented[at]);
                rented.RemoveAt(at);
            }
            Assert.Equal(rented.Count, pool.InUse);
        }
    }

    [Fact]
    public void A_block_is_used_again()
    {
        var pool = new BlockPool(100, limit: 5);
        byte[] block = pool.Rent()!;
        pool.Return(block);
        Assert.Same(block, pool.Rent());
    }
}
