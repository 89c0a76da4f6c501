using Hypha.Linux;

namespace Hypha.Guest.Streams;

/// <summary>Writes to the container's standard input from a thread of its own: a container that does not read holds up nobody else.</summary>
public sealed class InputWriter
{
    private const int StackSize = 256 * 1024;

    private readonly FileDescriptor? _target;
    private readonly bool _closes;
    private readonly object _gate = new();
    private readonly Queue<(ReadOnlyMemory<byte> Data, TaskCompletionSource<bool> Taken)?> _queue = new();
    private bool _closed;

    /// <param name="target">Null: there is no input to write to.</param>
    /// <param name="closes">Whether <see cref="Close"/> closes it; a terminal's is the output, too.</param>
    public InputWriter(FileDescriptor? target, bool closes)
    {
        _target = target;
        _closes = closes;
        _closed = target is null;
        if (target is not null)
            new Thread(Run, StackSize) { Name = "stdin", IsBackground = true }.Start();
    }

    /// <returns>When all bytes are taken: true; false when the container closed its end and they were thrown away.</returns>
    public Task<bool> WriteAsync(ReadOnlyMemory<byte> data)
    {
        var taken = new TaskCompletionSource<bool>();
        lock (_gate)
        {
            if (_closed)
                return Task.FromResult(false);
            _queue.Enqueue((data, taken));
            Monitor.Pulse(_gate);
        }
        return taken.Task;
    }

    /// <summary>Closes the input once everything before is written.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_closed || !_closes)
                return;
            _queue.Enqueue(null);
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        while (true)
        {
            (ReadOnlyMemory<byte> Data, TaskCompletionSource<bool> Taken)? next;
            lock (_gate)
            {
                while (!_queue.TryDequeue(out next))
                    Monitor.Wait(_gate);
            }
            bool taken = next is { } write && TryWrite(write.Data.Span);
            next?.Taken.SetResult(taken);
            if (!taken)
                break;
        }

        if (_closes)
            _target!.Dispose();
        (ReadOnlyMemory<byte>, TaskCompletionSource<bool> Taken)?[] left;
        lock (_gate)
        {
            _closed = true;
            left = [.. _queue];
            _queue.Clear();
        }
        foreach ((ReadOnlyMemory<byte>, TaskCompletionSource<bool> Taken)? write in left)
            write?.Taken.SetResult(false);
    }

    private bool TryWrite(ReadOnlySpan<byte> data)
    {
        try
        {
            while (!data.IsEmpty)
                data = data[_target!.Write(data, "writing to the container's input")..];
            return true;
        }
        catch (LinuxException e) when (e.Error is Errno.EPIPE or Errno.EIO)
        {
            return false;
        }
    }
}
