using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class FlowTableTests
{
    [Fact]
    public void A_table_is_what_a_dictionary_would_be()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var table = new FlowTable<Flow>();
            var model = new Dictionary<FlowKey, Flow>();
            int range = random.Next(2) == 0 ? 50 : 3_000;
            for (int step = 0; step < 3_000; step++)
            {
                var key = new FlowKey(IpAddress.OfV4(1), (ushort)random.Next(range), IpAddress.OfV4((uint)random.Next(2)), 80);
                bool growing = step / 1_000 % 2 == 0;
                if (model.TryGetValue(key, out Flow? flow))
                {
                    Assert.True(table.TryFind(key, out Flow? found));
                    Assert.Same(flow, found);
                    if (!growing || random.Next(4) == 0)
                    {
                        table.Remove(flow);
                        model.Remove(key);
                        table.Remove(flow); // is not there: nothing
                    }
                }
                else
                {
                    Assert.False(table.TryFind(key, out _));
                    if (growing || random.Next(4) == 0)
                    {
                        flow = new Flow(key);
                        table.Add(flow);
                        model.Add(key, flow);
                    }
                }
                Assert.Equal(model.Count, table.Count);
            }
            Assert.Equal(model.Values.OrderBy(f => f.Key.ToString()), table.Snapshot().OrderBy(f => f.Key.ToString()));
            foreach (Flow flow in table.Snapshot())
            {
                Assert.True(table.TryFind(flow.Key, out _));
                table.Remove(flow);
                Assert.False(table.TryFind(flow.Key, out _));
            }
            Assert.Equal(0, table.Count);
        }
    }

    private sealed record Flow(FlowKey Key) : IFlow;
}
