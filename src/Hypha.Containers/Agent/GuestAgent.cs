using Google.Protobuf;
using Hypha.Containers.Output;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;
using Hypha.Ttrpc;

namespace Hypha.Containers.Agent;

/// <summary>The guest broke the agent's protocol. Its channel is dropped; what it said is not believed.</summary>
public sealed class GuestProtocolException(string what) : IOException($"the guest's agent {what}");

/// <summary>
/// The guest's agent as the host sees it (agent.proto). Every answer comes from the guest and is hostile: sizes, codes,
/// offsets and texts are checked here, so that nobody behind this type has to.
/// </summary>
public sealed class GuestAgent(TtrpcClient client, ContainerId container)
{
    /// <summary>Bytes per call in either direction.</summary>
    public const int MaximumData = 64 << 10;

    private const string Service = "hypha.guest.v1.Agent";
    private const uint ProtocolVersion = 1;
    private const int MaximumMessage = 512; // characters

    /// <summary>The first call: both sides speak the same version, and the guest is the one we think it is.</summary>
    public async Task HelloAsync(CancellationToken cancellation)
    {
        var answer = await CallAsync("Hello", new HelloRequest { Version = ProtocolVersion }, HelloResponse.Parser, cancellation).ConfigureAwait(false);
        if (answer.Version != ProtocolVersion)
            throw new GuestProtocolException($"speaks version {answer.Version} of the protocol, not {ProtocolVersion}");
        if (answer.ContainerId != container.ToString())
            throw new GuestProtocolException("answers for another container");
    }

    /// <summary>Waits for output at an offset.</summary>
    /// <returns>Null at the stream's end; else at least one byte, which may begin later than asked for.</returns>
    public async Task<OutputChunk?> ReadOutputAsync(OutputStream stream, long offset, CancellationToken cancellation)
    {
        var request = new ReadOutputRequest { Stream = (Protocol.Guest.Stream)stream, Offset = (ulong)offset, MaxBytes = MaximumData };
        var answer = await CallAsync("ReadOutput", request, ReadOutputResponse.Parser, cancellation).ConfigureAwait(false);
        if (answer.Data.Length > MaximumData)
            throw new GuestProtocolException($"answered {answer.Data.Length} bytes of output where {MaximumData} are the limit");
        if (answer.Offset < (ulong)offset || answer.Offset > long.MaxValue - MaximumData)
            throw new GuestProtocolException($"answered output at offset {answer.Offset} where {offset} was asked for");
        if (!answer.Data.IsEmpty)
            return new OutputChunk(stream, (long)answer.Offset, answer.Data.Memory);
        return answer.End ? null : throw new GuestProtocolException("answered a read with nothing");
    }

    /// <returns>False when the container closed its standard input.</returns>
    public async Task<bool> WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var request = new WriteInputRequest { Data = UnsafeByteOperations.UnsafeWrap(data) };
        var answer = await CallAsync("WriteInput", request, WriteInputResponse.Parser, cancellation).ConfigureAwait(false);
        return !answer.Closed;
    }

    public Task CloseInputAsync(CancellationToken cancellation) =>
        CallAsync("CloseInput", new CloseInputRequest(), CloseInputResponse.Parser, cancellation);

    public Task ResizeAsync(int columns, int rows, CancellationToken cancellation) =>
        CallAsync("Resize", new ResizeRequest { Columns = (uint)columns, Rows = (uint)rows }, ResizeResponse.Parser, cancellation);

    /// <returns>False when there is no process any more.</returns>
    public async Task<bool> SignalAsync(int signal, CancellationToken cancellation)
    {
        var answer = await CallAsync("Signal", new SignalRequest { Signal = (uint)signal }, SignalResponse.Parser, cancellation).ConfigureAwait(false);
        return answer.Delivered;
    }

    /// <summary>Waits until the container's first process ended, or could not start.</summary>
    public async Task<ExitStatus> WaitAsync(CancellationToken cancellation)
    {
        var answer = await CallAsync("Wait", new WaitRequest(), WaitResponse.Parser, cancellation).ConfigureAwait(false);
        return answer switch
        {
            { ResultCase: WaitResponse.ResultOneofCase.ExitCode, ExitCode: <= 255 and var code } => new ExitStatus((int)code),
            { ResultCase: WaitResponse.ResultOneofCase.Signal, Signal: >= 1 and <= 64 and var signal } => new ExitStatus(128 + (int)signal, (int)signal),
            { ResultCase: WaitResponse.ResultOneofCase.Failure, Failure: { ExitCode: >= 125 and <= 127 } failure } =>
                new ExitStatus((int)failure.ExitCode, 0, Printable(failure.Message)),
            _ => throw new GuestProtocolException("reported an end that cannot be"),
        };
    }

    /// <summary>Gives the guest's interface another place; without addresses, its link alone.</summary>
    public async Task SetNetworkAsync(NetworkInterface network, IEnumerable<Protocol.Guest.File> files, CancellationToken cancellation)
    {
        var request = new SetNetworkRequest { Network = network };
        request.Files.AddRange(files);
        await CallAsync("SetNetwork", request, SetNetworkResponse.Parser, cancellation).ConfigureAwait(false);
    }

    /// <summary>The host has everything. Once this is answered the guest's disks are at rest, and the domain may go at any time.</summary>
    public Task ReleaseAsync(CancellationToken cancellation) =>
        CallAsync("Release", new ReleaseRequest(), ReleaseResponse.Parser, cancellation);

    private Task<T> CallAsync<TRequest, T>(string method, TRequest request, MessageParser<T> parser, CancellationToken cancellation)
        where TRequest : IMessage
        where T : IMessage<T> =>
        client.CallAsync(Service, method, request, parser, cancellation);

    /// <summary>A guest's text goes to a person's terminal: no control characters, and not without end.</summary>
    internal static string Printable(string text)
    {
        var shown = text.Length <= MaximumMessage ? text : text[..MaximumMessage] + "…";
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }
}
