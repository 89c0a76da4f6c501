using System.Collections.Concurrent;
using System.IO.Pipelines;
using Google.Protobuf;
using Hypha.Containers.Agent;
using Hypha.Containers.Life;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;
using Hypha.Ttrpc;

namespace Hypha.Containers.Tests;

/// <summary>
/// A guest without a domain: a real ttrpc server whose answers a test decides, hostile ones included, over pipes in memory.
/// </summary>
internal sealed class FakeGuest(ContainerId id) : IGuest
{
    private const string Service = "hypha.guest.v1.Agent";

    private readonly TaskCompletionSource<string> _domainEnded = new();

    public ConcurrentQueue<string> Calls { get; } = [];
    public List<int> Sessions { get; } = [];
    public bool TornDown { get; private set; }

    /// <summary>The guest's streams, whole; a read gives what follows its offset, and the end.</summary>
    public Dictionary<Protocol.Guest.Stream, byte[]> Output { get; } = new()
    {
        [Protocol.Guest.Stream.Stdout] = [],
        [Protocol.Guest.Stream.Stderr] = [],
    };

    public HelloResponse Hello { get; set; } = new() { Version = 1, ContainerId = id.ToString() };
    public Func<ReadOutputRequest, Task<ReadOutputResponse>>? ReadOutput { get; set; }
    public Func<Task<WaitResponse>> Wait { get; set; } = () => Task.FromResult(new WaitResponse { ExitCode = 0 });
    /// <summary>Without it the guest's agent is one that does not know the call.</summary>
    public Func<SetNetworkRequest, Task<SetNetworkResponse>>? SetNetwork { get; set; }
    public Func<int, Task>? BeforeConnect { get; set; }

    /// <summary>Set to break the channel under a running call.</summary>
    public TtrpcServer? Server { get; private set; }

    public Task<string> DomainEnded => _domainEnded.Task;

    public void Die(string why) => _domainEnded.TrySetResult(why);

    public async Task<IAgentConnection> ConnectAsync(int session, CancellationToken cancellation)
    {
        Sessions.Add(session);
        if (BeforeConnect is not null)
            await BeforeConnect(session).WaitAsync(cancellation);
        var toGuest = new Pipe();
        var toHost = new Pipe();
        Server = new TtrpcServer(new Duplex(toGuest.Reader.AsStream(), toHost.Writer.AsStream()), Services());
        _ = Server.RunAsync(CancellationToken.None).ContinueWith(_ => { }, TaskScheduler.Default);
        return new Connection(new TtrpcClient(new Duplex(toHost.Reader.AsStream(), toGuest.Writer.AsStream())), id);
    }

    public string ConsoleTail() => "Kernel panic - not syncing";

    public Task TearDownAsync()
    {
        TornDown = true;
        return Task.CompletedTask;
    }

    public bool Left { get; private set; }

    public ValueTask LeaveAsync()
    {
        Left = true;
        return ValueTask.CompletedTask;
    }

    private TtrpcServices Services() => SetNetwork is not { } set ? Known() : Known()
        .Add(Service, "SetNetwork", async (bytes, _) => await set(SetNetworkRequest.Parser.ParseFrom(bytes)));

    private TtrpcServices Known() => new TtrpcServices()
        .Add(Service, "Hello", (_, _) => Answer("Hello", Hello))
        .Add(Service, "ReadOutput", async (bytes, _) =>
        {
            var request = ReadOutputRequest.Parser.ParseFrom(bytes);
            return ReadOutput is null ? Read(request) : await ReadOutput(request);
        })
        .Add(Service, "Wait", async (_, _) => await Wait())
        .Add(Service, "Release", (_, _) => Answer("Release", new ReleaseResponse()));

    public ReadOutputResponse Read(ReadOutputRequest request)
    {
        var rest = Output[request.Stream].AsSpan((int)request.Offset);
        return new ReadOutputResponse
        {
            Offset = request.Offset,
            Data = ByteString.CopyFrom(rest[..Math.Min(rest.Length, 1000)]),
            End = rest.IsEmpty,
        };
    }

    private Task<IMessage> Answer(string call, IMessage message)
    {
        Calls.Enqueue(call);
        return Task.FromResult(message);
    }

    private sealed class Connection(TtrpcClient client, ContainerId id) : IAgentConnection
    {
        public GuestAgent Agent { get; } = new(client, id);

        public ValueTask DisposeAsync() => client.DisposeAsync();
    }

    private sealed class Duplex(System.IO.Stream input, System.IO.Stream output) : System.IO.Stream
    {
        public override bool CanRead => true;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => output.Flush();
        public override Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);
        public override int Read(byte[] buffer, int offset, int count) => input.Read(buffer, offset, count);
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => input.ReadAsync(buffer, cancellationToken);
        public override void Write(byte[] buffer, int offset, int count) => output.Write(buffer, offset, count);
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => output.WriteAsync(buffer, cancellationToken);
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            input.Dispose();
            output.Dispose();
            base.Dispose(disposing);
        }
    }
}
