using CsCheck;
using Google.Protobuf;
using Hypha.Protocol.Guest;
using Stream = System.IO.Stream;

namespace Hypha.Ttrpc.Tests;

public sealed class CallTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly Echo _echo = new();

    private (TtrpcClient Client, Task Server) Connect(TtrpcLimits? client = null, TtrpcLimits? server = null)
    {
        (Stream c, Stream s) = Connection.Pair();
        return (new TtrpcClient(c, client), new TtrpcServer(s, _echo.Services(), server).RunAsync());
    }

    private static Task<WriteInputRequest> Call(TtrpcClient client, string method, byte[] data, CancellationToken ct = default) =>
        client.CallAsync(Echo.Service, method, new WriteInputRequest { Data = ByteString.CopyFrom(data) }, WriteInputRequest.Parser, ct)
            .WaitAsync(s_deadline, CancellationToken.None);

    [Fact]
    public async Task Every_call_gets_its_own_answer_whatever_the_sizes()
    {
        (TtrpcClient client, _) = Connect();
        await Gen.Byte.Array[0, 100_000].Array[1, 40].SampleAsync(async calls =>
        {
            WriteInputRequest[] answers = await Task.WhenAll(calls.Select(data => Call(client, "Echo", data)));
            return answers.Zip(calls).All(pair => pair.First.Data.Span.SequenceEqual(pair.Second));
        }, iter: 20, threads: 1);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_long_call_does_not_hold_up_the_ones_after_it()
    {
        (TtrpcClient client, _) = Connect();
        Task<WriteInputRequest> waiting = Call(client, "Gate", [1]);
        Assert.Equal(2, (await Call(client, "Echo", [2])).Data[0]);
        Assert.False(waiting.IsCompleted);
        _echo.Gate.SetResult();
        Assert.Equal(1, (await waiting).Data[0]);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_call_given_up_is_forgotten_and_its_late_answer_dropped()
    {
        (TtrpcClient client, _) = Connect();
        using var ct = new CancellationTokenSource();
        Task<WriteInputRequest> waiting = Call(client, "Gate", [1], ct.Token);
        await _echo.GateToken.Task.WaitAsync(s_deadline);
        ct.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _echo.Gate.SetResult();
        Assert.Equal(2, (await Call(client, "Echo", [2])).Data[0]);
        Assert.False(client.Completion.IsCompleted);
        await client.DisposeAsync();
    }

    [Theory]
    [InlineData("Fail", StatusCode.NotFound, "no such thing")]
    [InlineData("Break", StatusCode.Internal, "broken")]
    [InlineData("Nothing", StatusCode.Unimplemented, "test.Echo/Nothing is not served")]
    public async Task A_failure_reaches_the_caller_as_a_status(string method, StatusCode code, string message)
    {
        (TtrpcClient client, _) = Connect();
        var e = await Assert.ThrowsAsync<TtrpcException>(() => Call(client, method, []));
        Assert.Equal((code, message), (e.StatusCode, e.Message));
        Assert.Equal(1, (await Call(client, "Echo", [1])).Data[0]);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task When_the_client_goes_the_server_ends_at_peace_and_its_handlers_are_cancelled()
    {
        (TtrpcClient client, Task server) = Connect();
        Task<WriteInputRequest> waiting = Call(client, "Gate", [1]);
        CancellationToken token = await _echo.GateToken.Task.WaitAsync(s_deadline);
        await client.DisposeAsync();
        await server.WaitAsync(s_deadline);
        Assert.True(token.IsCancellationRequested);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<TtrpcException>(() => waiting)).StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<TtrpcException>(() => Call(client, "Echo", []))).StatusCode);
    }

    [Fact]
    public async Task When_the_server_goes_calls_under_way_fail()
    {
        (Stream c, Stream s) = Connection.Pair();
        var client = new TtrpcClient(c);
        Task<WriteInputRequest> waiting = Call(client, "Gate", [1]);
        s.Dispose();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<TtrpcException>(() => waiting)).StatusCode);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_message_over_the_limit_is_refused_before_it_is_sent()
    {
        (TtrpcClient client, _) = Connect(new TtrpcLimits { MaxMessage = 1000 });
        var e = await Assert.ThrowsAsync<TtrpcException>(() => Call(client, "Echo", new byte[1000]));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Equal(1, (await Call(client, "Echo", [1])).Data[0]);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task Calls_over_the_limit_fail_at_once_and_leave_the_connection_whole()
    {
        (TtrpcClient client, _) = Connect(new TtrpcLimits { MaxOutstanding = 3 });
        Task<WriteInputRequest>[] waiting = [Call(client, "Gate", [1]), Call(client, "Gate", [2]), Call(client, "Gate", [3])];
        var e = await Assert.ThrowsAsync<TtrpcException>(() => Call(client, "Echo", [4]));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        _echo.Gate.SetResult();
        await Task.WhenAll(waiting);
        Assert.Equal(5, (await Call(client, "Echo", [5])).Data[0]);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_deadline_given_by_the_caller_ends_the_handler()
    {
        (Stream c, Stream s) = Connection.Pair();
        Task server = new TtrpcServer(s, _echo.Services()).RunAsync();
        var request = new Hypha.Protocol.Ttrpc.Request { Service = Echo.Service, Method = "Gate", TimeoutNano = 20_000_000 };
        c.Write(Connection.Frame(1, 1, request.ToByteArray()));
        var reader = new FrameReader(c, 1000);
        Assert.True(await reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(s_deadline));
        Assert.Equal((int)StatusCode.DeadlineExceeded, Hypha.Protocol.Ttrpc.Response.Parser.ParseFrom(reader.Payload).Status.Code);
        c.Dispose();
        await server.WaitAsync(s_deadline);
    }
}
