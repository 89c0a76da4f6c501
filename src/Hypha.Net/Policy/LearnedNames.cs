using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>That an address is one of a name of the policy, until a time.</summary>
internal sealed class LearnedName(IpAddress address, int name)
{
    public IpAddress Address => address;

    /// <summary>Its place among the policy's names.</summary>
    public int Name => name;

    public long Until { get; set; }

    /// <summary>Another name of the same address.</summary>
    public LearnedName? Next { get; set; }

    /// <summary>Its place by age.</summary>
    public LinkedListNode<LearnedName>? Place { get; set; }

    public static bool Holds(LearnedName? learned, int name, long now)
    {
        for (; learned is not null; learned = learned.Next)
        {
            if (learned.Name == name)
                return now < learned.Until;
        }
        return false;
    }
}

/// <summary>Which addresses DNS gave one guest for the names of its rules. Only so many: those that were given longest ago go first.</summary>
internal sealed class LearnedNames(int limit = LearnedNames.Most)
{
    public const int Most = 4_096;

    /// <summary>A guest asks, then connects: also where the answer is for no time at all; and no answer is for ever.</summary>
    public const long Shortest = 30 * MonotonicClock.Second, Longest = 3_600 * MonotonicClock.Second;

    private readonly Dictionary<IpAddress, LearnedName> _byAddress = new(new Keyed());
    private readonly LinkedList<LearnedName> _byAge = new();

    public int Count => _byAge.Count;

    /// <returns>The first of its names, the others follow; null when it has none.</returns>
    public LearnedName? Find(IpAddress address) => _byAddress.GetValueOrDefault(address);

    public void Add(IpAddress address, int name, uint timeToLive, long now)
    {
        LearnedName? learned = Find(address);
        while (learned is not null && learned.Name != name)
            learned = learned.Next;
        if (learned is null)
        {
            if (Count >= limit)
                RemoveOldest();
            learned = new LearnedName(address, name) { Next = Find(address) };
            learned.Place = new LinkedListNode<LearnedName>(learned);
            _byAddress[address] = learned;
        }
        else
        {
            _byAge.Remove(learned.Place!);
        }
        _byAge.AddLast(learned.Place!);
        learned.Until = now + Math.Clamp(timeToLive * MonotonicClock.Second, Shortest, Longest);
    }

    private void RemoveOldest()
    {
        LearnedName oldest = _byAge.First!.Value;
        _byAge.RemoveFirst();
        LearnedName first = _byAddress[oldest.Address];
        if (first != oldest)
        {
            while (first.Next != oldest)
                first = first.Next!;
            first.Next = oldest.Next;
        }
        else if (oldest.Next is { } next)
        {
            _byAddress[oldest.Address] = next;
        }
        else
        {
            _byAddress.Remove(oldest.Address);
        }
    }

    /// <summary>A guest and a server of names together choose addresses: they shall not fall into one place.</summary>
    private sealed class Keyed : IEqualityComparer<IpAddress>
    {
        public bool Equals(IpAddress x, IpAddress y) => x == y;

        public int GetHashCode(IpAddress obj) => (int)KeyedHash.OfTable(new FlowKey(obj, 0, default, 0));
    }
}
