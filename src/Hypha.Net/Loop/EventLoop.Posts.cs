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

    /// <summary>As <see cref="Post"/>, with what became of it.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    private void RunPosts()
    {
        _wake.Clear();
        while (_posts.TryDequeue(out Action? work))
            work();
    }
}
