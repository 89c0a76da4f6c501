using System.Collections.Concurrent;

namespace Hypha.Net.Loop;

/// <summary>Work that other threads have for the loop.</summary>
public sealed partial class EventLoop
{
    private readonly ConcurrentQueue<Action> _posts = new();

    /// <summary>Has <paramref name="work"/> done by the loop's thread, soon; from any thread.</summary>
    public void Post(Action work)
    {
        _posts.Enqueue(work);
        _wake.Set();
    }

    private void RunPosts()
    {
        _wake.Clear();
        while (_posts.TryDequeue(out Action? work))
            work();
    }
}
