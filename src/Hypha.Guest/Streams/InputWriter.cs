using Hypha.Linux;

namespace Hypha.Guest.Streams;

/// <summary>
/// Writes to the container's standard input from a thread of its own: a container that does not read holds up nobody else. What comes
/// before the container started waits for it.
/// </summary>
public sealed class InputWriter
{
    private const int StackSize = 256 * 1024;

    private readonly object _gate = new();
    private readonly Queue<(ReadOnlyMemory<byte> Data, TaskCompletionSource<bool> Taken)?> _queue = new(); // null: close
    private FileDescriptor? _target;
    private bool _closes;
    private bool _closed;

    /// <summary>The container has started.</summary>
    /// <param name="closes">Whether <see cref="Close"/> closes the target; a terminal's is the output, too.</param>
    public void Open(FileDescriptor target, bool closes)
    {
        (_target, _closes) = (target, closes);
        new Thread(Run, StackSize) { Name = "stdin", IsBackground = true }.Start();
    }

    /// <summary>The container has no input, or will never start.</summary>
    public void Shut()
    {
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
            if (_closed)
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
            if (next is not { } write)
            {
                if (_closes)
                    break;
                continue; // a terminal stays
            }
            bool taken = TryWrite(write.Data.Span);
            write.Taken.SetResult(taken);
            if (!taken)
                break;
        }
        if (_closes)
            _target!.Dispose();
        Shut();
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
