using CsCheck;
using Google.Protobuf;
using Hypha.Protocol.Guest;
using Hypha.Protocol.Ttrpc;
using Stream = System.IO.Stream;

namespace Hypha.Ttrpc.Tests;

/// <summary>What a peer may do to us: end its own connection, and nothing else.</summary>
public sealed class HostilePeerTests
{
    private const int Limit = 1000;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private static readonly TtrpcLimits s_limits = new() { MaxMessage = Limit, MaxOutstanding = 4, MaxForgotten = 4 };

    private static byte[] Request(string method) => new Request { Service = Echo.Service, Method = method }.ToByteArray();

    private static async Task<string> ServerGets(params byte[][] frames)
    {
        (Stream peer, Stream s) = Connection.Pair();
        Task server = new TtrpcServer(s, new Echo().Services(), s_limits).RunAsync();
        foreach (byte[] frame in frames)
            await peer.WriteAsync(frame);
        ((System.Net.Sockets.NetworkStream)peer).Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        var e = await Assert.ThrowsAsync<TtrpcProtocolException>(() => server.WaitAsync(s_deadline));
        return e.Message;
    }

    private static async Task<string> ClientGets(byte[] bytes)
    {
        (Stream c, Stream peer) = Connection.Pair();
        await using var client = new TtrpcClient(c, s_limits);
        Task call = client.CallAsync(Echo.Service, "Echo", new WriteInputRequest(), WriteInputRequest.Parser);
        await peer.WriteAsync(bytes);
        ((System.Net.Sockets.NetworkStream)peer).Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        var e = await Assert.ThrowsAsync<TtrpcProtocolException>(() => client.Completion.WaitAsync(s_deadline));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<TtrpcException>(() => call)).StatusCode);
        return e.Message;
    }

    [Fact]
    public async Task Server_closes_on_a_message_over_the_limit_without_reading_it() =>
        Assert.Equal("stream 1: a message of 1001 bytes; the limit is 1000", await ServerGets([0, 0, 3, 0xE9, 0, 0, 0, 1, 1, 0]));

    [Fact]
    public async Task Server_closes_on_a_length_of_all_ones() =>
        Assert.Contains("4294967295", await ServerGets([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 1, 0]));

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(255)]
    public async Task Server_closes_on_a_type_other_than_request(byte type) =>
        Assert.Contains($"type {type}", await ServerGets(Connection.Frame(1, type, [])));

    [Fact]
    public async Task Server_closes_on_an_even_stream_id() =>
        Assert.Contains("odd", await ServerGets(Connection.Frame(2, 1, Request("Echo"))));

    [Fact]
    public async Task Server_closes_on_a_stream_id_used_again() =>
        Assert.Contains("stream 5 after 5", await ServerGets(Connection.Frame(5, 1, Request("Echo")), Connection.Frame(5, 1, Request("Echo"))));

    [Fact]
    public async Task Server_closes_on_an_envelope_that_is_no_protobuf() =>
        Assert.Contains("envelope", await ServerGets(Connection.Frame(1, 1, [0xFF, 0xFF, 0xFF])));

    [Fact]
    public async Task Server_closes_when_more_requests_wait_than_the_limit() =>
        Assert.Contains("more than 4", await ServerGets([.. Enumerable.Range(0, 5).Select(i => Connection.Frame((uint)(2 * i + 1), 1, Request("Gate")))]));

    [Fact]
    public async Task Server_closes_on_a_header_or_message_cut_short()
    {
        Assert.Contains("3 of a header's 10", await ServerGets([0, 0, 0]));
        Assert.Contains("1 of a message's 9", await ServerGets([0, 0, 0, 9, 0, 0, 0, 1, 1, 0, 7]));
    }

    [Fact]
    public async Task Server_keeps_no_more_responses_than_the_limit_for_a_peer_that_reads_none()
    {
        (Stream peer, Stream s) = Connection.Pair();
        var services = new TtrpcServices().Add("s", "Big", (_, _) => Task.FromResult<IMessage>(new WriteInputRequest { Data = ByteString.CopyFrom(new byte[1 << 20]) }));
        Task server = new TtrpcServer(s, services, new TtrpcLimits { MaxOutstanding = 4 }).RunAsync();
        byte[] request = new Request { Service = "s", Method = "Big" }.ToByteArray();
        for (uint i = 0; i < 100 && !server.IsCompleted; i++)
        {
            try
            {
                await peer.WriteAsync(Connection.Frame(2 * i + 1, 1, request));
            }
            catch (IOException)
            {
                break; // closed
            }
        }
        await Assert.ThrowsAsync<TtrpcProtocolException>(() => server.WaitAsync(s_deadline));
    }

    [Fact]
    public async Task Server_outlives_any_bytes()
    {
        Gen<byte[]> frame = Gen.Select(Gen.UInt[0, 9], Gen.Byte[0, 4], Gen.Byte.Array[0, 60], Gen.Byte, (id, type, payload, flags) => Connection.Frame(id, type, payload, flags));
        await Gen.OneOf(frame, Gen.Byte.Array[0, 40]).Array[1, 12].SampleAsync(async frames =>
        {
            (Stream peer, Stream s) = Connection.Pair();
            Task server = new TtrpcServer(s, new Echo().Services(), s_limits).RunAsync();
            try
            {
                foreach (byte[] bytes in frames)
                    await peer.WriteAsync(bytes);
            }
            catch (IOException)
            {
                // closed by the server already
            }
            peer.Dispose();
            try
            {
                await server.WaitAsync(s_deadline);
            }
            catch (TtrpcProtocolException)
            {
                // the only way to fail
            }
        }, iter: 300, threads: 1);
    }

    [Fact]
    public async Task Client_closes_on_a_message_over_the_limit() => Assert.Contains("1001", await ClientGets([0, 0, 3, 0xE9, 0, 0, 0, 1, 2, 0]));

    [Fact]
    public async Task Client_closes_on_a_response_to_no_call() => Assert.Contains("stream 3", await ClientGets(Connection.Frame(3, 2, [])));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Client_closes_on_a_type_other_than_response(byte type) => Assert.Contains($"type {type}", await ClientGets(Connection.Frame(1, type, [])));

    [Fact]
    public async Task Client_closes_on_an_envelope_that_is_no_protobuf() => Assert.Contains("envelope", await ClientGets(Connection.Frame(1, 2, [0xFF, 0xFF])));

    [Fact]
    public async Task Client_closes_when_a_response_comes_twice()
    {
        byte[] once = Connection.Frame(1, 2, new Response().ToByteArray());
        (Stream c, Stream peer) = Connection.Pair();
        await using var client = new TtrpcClient(c, s_limits);
        Task call = client.CallAsync(Echo.Service, "Echo", new WriteInputRequest(), WriteInputRequest.Parser);
        await peer.WriteAsync((byte[])[.. once, .. once]);
        await call.WaitAsync(s_deadline);
        await Assert.ThrowsAsync<TtrpcProtocolException>(() => client.Completion.WaitAsync(s_deadline));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_read_fails_its_call_alone()
    {
        (Stream c, Stream peer) = Connection.Pair();
        await using var client = new TtrpcClient(c, s_limits);
        Task call = client.CallAsync(Echo.Service, "Echo", new WriteInputRequest(), WriteInputRequest.Parser);
        await peer.WriteAsync(Connection.Frame(1, 2, new Response { Payload = ByteString.CopyFrom(0xFF, 0xFF) }.ToByteArray()));
        Assert.Equal(StatusCode.Internal, (await Assert.ThrowsAsync<TtrpcException>(() => call.WaitAsync(s_deadline))).StatusCode);
        Assert.False(client.Completion.IsCompleted);
    }

    [Fact]
    public async Task Client_closes_when_abandoned_calls_are_never_answered()
    {
        (Stream c, Stream _) = Connection.Pair();
        await using var client = new TtrpcClient(c, s_limits);
        for (int i = 0; i < 5; i++)
        {
            using var ct = new CancellationTokenSource();
            Task call = client.CallAsync(Echo.Service, "Gate", new WriteInputRequest(), WriteInputRequest.Parser, ct.Token);
            ct.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(s_deadline));
        }
        var e = await Assert.ThrowsAsync<TtrpcProtocolException>(() => client.Completion.WaitAsync(s_deadline));
        Assert.Contains("abandoned", e.Message);
    }
}
