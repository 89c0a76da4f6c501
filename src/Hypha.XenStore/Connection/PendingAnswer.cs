using Hypha.Linux;

namespace Hypha.XenStore;

/// <summary>A request that was sent, until its answer is there or the connection is lost.</summary>
internal abstract class PendingAnswer(StoreRequest request)
{
    public StoreRequest Request => request;

    public abstract void Succeed(byte[] payload);

    public abstract void Fail(StoreException error);
}

/// <summary>The answer to one request.</summary>
internal sealed class SingleAnswer(StoreRequest request) : PendingAnswer(request)
{
    private readonly TaskCompletionSource<byte[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<byte[]> Task => _answer.Task;

    public override void Succeed(byte[] payload) => _answer.TrySetResult(payload);

    public override void Fail(StoreException error) => _answer.TrySetException(error);
}

/// <summary>The answers to many requests whose payloads nobody wants: one task for all, with the first refusal if there was one.</summary>
internal sealed class AnswerCount(int count)
{
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = count;
    private StoreException? _refusal;

    public Task Task => _all.Task;

    public PendingAnswer Of(StoreRequest request) => new Counted(this, request);

    private void Arrived(StoreException? refusal)
    {
        if (refusal is not null)
            Interlocked.CompareExchange(ref _refusal, refusal, null);
        if (Interlocked.Decrement(ref _left) > 0)
            return;
        if (_refusal is { } first)
            _all.TrySetException(first);
        else
            _all.TrySetResult();
    }

    private sealed class Counted(AnswerCount all, StoreRequest request) : PendingAnswer(request)
    {
        public override void Succeed(byte[] payload) => all.Arrived(null);

        public override void Fail(StoreException error) =>
            all.Arrived(Request.Tolerated != Errno.None && error.Error == Request.Tolerated ? null : error);
    }
}
