using System.Diagnostics.CodeAnalysis;

namespace Hypha.Net.Tcp;

/// <summary>What is found by its <see cref="FlowKey"/>.</summary>
public interface IFlow
{
    FlowKey Key { get; }
}

/// <summary>Flows by their keys: a table of references alone (linear probing, at most half full), as the keys are in the flows.</summary>
public sealed class FlowTable<T> where T : class, IFlow
{
    private T?[] _places = new T?[64];

    public int Count { get; private set; }

    public bool TryFind(in FlowKey key, [NotNullWhen(true)] out T? flow)
    {
        for (int i = Home(key); (flow = _places[i]) is not null; i = After(i))
        {
            if (flow.Key == key)
                return true;
        }
        return false;
    }

    /// <param name="flow">None with its key is there.</param>
    public void Add(T flow)
    {
        if (Count * 2 >= _places.Length)
            Resize(_places.Length * 2);
        Count++;
        Place(flow);
    }

    public void Remove(T flow)
    {
        int at = Home(flow.Key);
        while (!ReferenceEquals(_places[at], flow))
        {
            if (_places[at] is null)
                return;
            at = After(at);
        }
        // What was pushed past this place moves back into it.
        for (int next = After(at); _places[next] is { } other; next = After(next))
        {
            int home = Home(other.Key);
            if (((next - home) & (_places.Length - 1)) < ((next - at) & (_places.Length - 1)))
                continue;
            _places[at] = other;
            at = next;
        }
        _places[at] = null;
        Count--;
        if (_places.Length > 64 && Count * 16 < _places.Length)
            Resize(_places.Length / 4);
    }

    /// <summary>All flows, as they were when it was called.</summary>
    public T[] Snapshot()
    {
        var all = new T[Count];
        int count = 0;
        foreach (T? flow in _places)
        {
            if (flow is not null)
                all[count++] = flow;
        }
        return all;
    }

    private int Home(in FlowKey key) => (int)KeyedHash.OfTable(key) & (_places.Length - 1);

    private int After(int place) => (place + 1) & (_places.Length - 1);

    private void Place(T flow)
    {
        int at = Home(flow.Key);
        while (_places[at] is not null)
            at = After(at);
        _places[at] = flow;
    }

    private void Resize(int length)
    {
        T?[] old = _places;
        _places = new T?[length];
        foreach (T? flow in old)
        {
            if (flow is not null)
                Place(flow);
        }
    }
}
