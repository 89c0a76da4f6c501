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

    /// <summary>Has a question answered by the loop's thread; from any thread. Never ends once the loop has ended.</summary>
    public Task<T> PostAsync<T>(Func<T> question)
    {
        // The asker goes on elsewhere: the loop has packets to move.
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                answer.SetResult(question());
            }
            catch (Exception error)
            {
                answer.SetException(error);
            }
        });
        return answer.Task;
    }

    private void RunPosts()
    {
        _wake.Clear();
        while (_posts.TryDequeue(out Action? work))
            work();
    }
}
