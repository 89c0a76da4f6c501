using Google.Protobuf;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Linux;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Attach;

/// <summary>
/// The client's end of a container's standard streams: bytes both ways as they are, the terminal's mode and size, and the
/// ways to leave. Whatever ends it, the terminal gets its mode back, and the container is not harmed.
/// </summary>
internal sealed class AttachSession : IDisposable
{
    private const int ChunkSize = 64 * 1024;

    private readonly AsyncDuplexStreamingCall<AttachRequest, AttachEvent> _call;
    private readonly SemaphoreSlim _sending = new(1); // a gRPC stream takes one write at a time
    private readonly CancellationTokenSource _leaving = new();
    private readonly bool _stdinIsTerminal = Terminal.Is(StandardStream.Input);
    private int _leaveCode;
    private int _resizeQueued;

    public AttachSession(Control.ControlClient client) => _call = client.Attach(cancellationToken: _leaving.Token);

    /// <summary>hyphad found the container, and its streams were connected.</summary>
    public bool IsAttached { get; private set; }

    /// <summary>Streams until the container ends, hyphad goes, or <see cref="Leave"/> is called.</summary>
    /// <exception cref="RpcException">The container is not there, or the connection broke.</exception>
    /// <exception cref="LinuxException">EPIPE: nobody reads the output any more.</exception>
    public async Task<AttachOutcome> RunAsync(AttachOpen open)
    {
        try
        {
            await SendAsync(new AttachRequest { Open = open }).ConfigureAwait(false);
            var events = _call.ResponseStream;
            if (!await events.MoveNext(_leaving.Token).ConfigureAwait(false) || events.Current.Attached is not { } attached)
                throw new RpcException(new Status(StatusCode.Internal, "hyphad did not answer the attach as its protocol says."));

            IsAttached = true;
            bool raw = attached.Terminal && _stdinIsTerminal;
            // Before raw mode: .NET remembers the terminal's mode when the first signal is registered, and may set it again at the end.
            using var resizes = raw ? PosixSignals.On(PosixSignals.SIGWINCH, QueueResize) : null;
            using var mode = raw ? Terminal.EnterRaw(StandardStream.Input) : null;
            if (raw)
                QueueResize();
            if (open.Input)
                new Thread(PumpInput) { IsBackground = true, Name = "standard input" }.Start();
            return new AttachOutcome(await PumpOutputAsync(events).ConfigureAwait(false));
        }
        catch (Exception error) when (_leaving.IsCancellationRequested && error is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            return new AttachOutcome(null, _leaveCode);
        }
    }

    /// <summary>Ends the session and leaves the container running.</summary>
    public void Leave(int exitCode)
    {
        _leaveCode = exitCode;
        _leaving.Cancel();
    }

    public void Dispose() => _call.Dispose();

    private async Task<ExitStatus> PumpOutputAsync(IAsyncStreamReader<AttachEvent> events)
    {
        while (await events.MoveNext(_leaving.Token).ConfigureAwait(false))
        {
            var output = events.Current;
            switch (output.EventCase)
            {
                case AttachEvent.EventOneofCase.Stdout:
                    StandardStreams.Write(StandardStream.Output, output.Stdout.Span);
                    break;
                case AttachEvent.EventOneofCase.Stderr:
                    StandardStreams.Write(StandardStream.Error, output.Stderr.Span);
                    break;
                case AttachEvent.EventOneofCase.Exited:
                    return output.Exited;
            }
        }
        throw new RpcException(new Status(StatusCode.Unavailable, "hyphad ended the stream before the container's end."));
    }

    /// <summary>Runs on a thread of its own, for read(2) cannot be cancelled. Waits where the container does not read.</summary>
    private void PumpInput()
    {
        byte[] buffer = new byte[ChunkSize];
        try
        {
            int count;
            while ((count = StandardStreams.Read(buffer)) > 0)
            {
                int detach = _stdinIsTerminal ? Array.IndexOf(buffer, DetachKey.Code, 0, count) : -1;
                int length = detach >= 0 ? detach : count;
                if (length > 0)
                    SendAsync(new AttachRequest { Input = ByteString.CopyFrom(buffer, 0, length) }).GetAwaiter().GetResult();
                if (detach >= 0)
                {
                    Leave(ExitCode.Ok);
                    return;
                }
            }
            SendAsync(new AttachRequest { CloseInput = true }).GetAwaiter().GetResult();
        }
        catch (LinuxException)
        {
            // The terminal is gone (EIO). The container stays; a new terminal can attach to it.
            Leave(ExitCode.HungUp);
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or InvalidOperationException)
        {
            // The call has ended; the reading side knows why.
        }
    }

    private void QueueResize()
    {
        // One in the queue is enough: it reads the size when its turn comes.
        if (Interlocked.Exchange(ref _resizeQueued, 1) == 0)
            _ = ResizeAsync();
    }

    private async Task ResizeAsync()
    {
        try
        {
            await SendAsync(() =>
            {
                Volatile.Write(ref _resizeQueued, 0);
                return Terminal.Size(StandardStream.Input) is var (columns, rows)
                    ? new AttachRequest { Resize = new TerminalSize { Columns = (uint)columns, Rows = (uint)rows } }
                    : null;
            }).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or InvalidOperationException)
        {
            // As for input.
        }
    }

    private Task SendAsync(AttachRequest request) => SendAsync(() => request);

    private async Task SendAsync(Func<AttachRequest?> request)
    {
        await _sending.WaitAsync(_leaving.Token).ConfigureAwait(false);
        try
        {
            if (request() is { } message)
                await _call.RequestStream.WriteAsync(message, _leaving.Token).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }
}
