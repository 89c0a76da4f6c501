using System.Text;
using Google.Protobuf;
using Hypha.Containers.Life;
using Hypha.Containers.Output;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hypha.Containers.Tests;

public sealed class SupervisorTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly string _root = Directory.CreateTempSubdirectory("hypha-supervisor").FullName;
    private readonly ContainerId _id = ContainerId.New();
    private readonly Container _container;
    private readonly FakeGuest _guest;
    private bool _finished;

    public SupervisorTests()
    {
        var directory = new ContainerDirectory(_root, _id);
        directory.Create();
        var record = new ContainerRecord { Id = _id, Image = "image", State = ContainerState.Running, Domain = 7 };
        _container = new Container(record, directory);
        _container.ReleaseOutput();
        _guest = new FakeGuest(_id);
    }

    [Fact]
    public async Task Output_and_exit_status_are_recorded_before_the_guest_is_released()
    {
        _guest.Output[Protocol.Guest.Stream.Stdout] = Text(5000);
        _guest.Output[Protocol.Guest.Stream.Stderr] = Text(300);
        _guest.Wait = () => Task.FromResult(new WaitResponse { ExitCode = 3 });

        var exit = await RunAsync();

        Assert.Equal(new ExitStatus(3), exit);
        Assert.Equal(ContainerState.Exited, _container.Record.State);
        Assert.Equal(0, _container.Record.Domain);
        Assert.Contains("Release", _guest.Calls);
        Assert.True(_guest.TornDown);
        Assert.True(_finished);
        Assert.Equal(Text(5000), Kept(OutputStream.Stdout));
        Assert.Equal(Text(300), Kept(OutputStream.Stderr));
        Assert.Equivalent(_container.Record, _container.Directory.TryRead());
    }

    [Fact]
    public async Task A_signal_becomes_128_plus_its_number()
    {
        _guest.Wait = () => Task.FromResult(new WaitResponse { Signal = 15 });
        Assert.Equal(new ExitStatus(143, 15), await RunAsync());
    }

    [Fact]
    public async Task A_start_failure_carries_the_guests_sentence_without_control_characters()
    {
        _guest.Wait = () => Task.FromResult(new WaitResponse { Failure = new StartFailure { ExitCode = 127, Message = "no \u001b[31mcommand" } });
        Assert.Equal(new ExitStatus(127, 0, "no ?[31mcommand"), await RunAsync());
    }

    [Fact]
    public async Task A_guest_that_dies_is_failed_and_its_console_is_shown()
    {
        _guest.Wait = () => new TaskCompletionSource<WaitResponse>().Task;
        _guest.Die("the guest crashed");
        var exit = await RunAsync();
        Assert.Equal(125, exit.Code);
        Assert.Contains("the guest crashed", exit.Message, StringComparison.Ordinal);
        Assert.Contains("Kernel panic", exit.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerState.Failed, _container.Record.State);
        Assert.True(_guest.TornDown);
    }

    [Fact]
    public async Task An_init_that_never_answers_ends_at_the_deadline()
    {
        _guest.BeforeConnect = _ => new TaskCompletionSource().Task;
        var exit = await RunAsync(new SupervisorOptions { StartDeadline = TimeSpan.FromMilliseconds(100) });
        Assert.Contains("did not answer within", exit.Message, StringComparison.Ordinal);
        Assert.True(_guest.TornDown);
    }

    [Fact]
    public async Task A_broken_channel_is_made_anew_and_no_byte_is_lost_or_doubled()
    {
        _guest.Output[Protocol.Guest.Stream.Stdout] = Text(20_000);
        int reads = 0;
        _guest.ReadOutput = request =>
        {
            if (request.Stream == Protocol.Guest.Stream.Stdout && ++reads % 7 == 0 && reads < 25)
                _guest.Server!.Dispose();
            return Task.FromResult(_guest.Read(request));
        };
        var exit = await RunAsync(new SupervisorOptions { ChannelDelay = TimeSpan.Zero });
        Assert.Equal(new ExitStatus(0), exit);
        Assert.Equal([1, 2, 3, 4], _guest.Sessions);
        Assert.Equal(Text(20_000), Kept(OutputStream.Stdout));
    }

    [Fact]
    public async Task A_container_that_is_destroyed_ends_with_137()
    {
        _guest.Wait = () =>
        {
            _container.RequestDestroy();
            return new TaskCompletionSource<WaitResponse>().Task;
        };
        Assert.Equal(137, (await RunAsync()).Code);
        Assert.True(_guest.TornDown);
    }

    [Fact]
    public async Task A_daemon_that_stops_leaves_the_guest_alone()
    {
        using var stop = new CancellationTokenSource();
        _guest.Wait = async () =>
        {
            await stop.CancelAsync();
            return await new TaskCompletionSource<WaitResponse>().Task;
        };
        await NewSupervisor(new()).RunAsync(stop.Token).WaitAsync(Deadline);
        Assert.True(_guest.Left);
        Assert.False(_guest.TornDown);
        Assert.False(_container.Ended.IsCompleted);
        Assert.Equal(ContainerState.Running, _container.Directory.TryRead()!.State);
    }

    public static TheoryData<string> HostileAgents => ["other container", "other version", "exit code", "signal", "failure code",
        "nothing", "too much", "offset behind", "offset beyond"];

    [Theory]
    [MemberData(nameof(HostileAgents))]
    public async Task A_hostile_agent_fails_its_own_container_alone(string lie)
    {
        switch (lie)
        {
            case "other container": _guest.Hello = new() { Version = 1, ContainerId = ContainerId.New().ToString() }; break;
            case "other version": _guest.Hello = new() { Version = 2, ContainerId = _id.ToString() }; break;
            case "exit code": _guest.Wait = () => Task.FromResult(new WaitResponse { ExitCode = 4711 }); break;
            case "signal": _guest.Wait = () => Task.FromResult(new WaitResponse { Signal = 65 }); break;
            case "failure code": _guest.Wait = () => Task.FromResult(new WaitResponse { Failure = new StartFailure { ExitCode = 1 } }); break;
            case "nothing": Answer(request => new() { Offset = request.Offset }); break;
            case "too much": Answer(request => new() { Offset = request.Offset, Data = ByteString.CopyFrom(new byte[100_000]) }); break;
            case "offset behind": Answer(request => new() { Offset = request.Offset == 0 ? 0 : request.Offset - 1, Data = ByteString.CopyFrom(1) }); break;
            case "offset beyond": Answer(_ => new() { Offset = ulong.MaxValue, Data = ByteString.CopyFrom(1) }); break;
        }
        var exit = await RunAsync(new SupervisorOptions { ChannelAttempts = 2, ChannelDelay = TimeSpan.Zero });
        Assert.Equal(125, exit.Code);
        Assert.StartsWith("the guest's agent", exit.Message, StringComparison.Ordinal);
        Assert.True(_guest.TornDown);

        void Answer(Func<ReadOutputRequest, ReadOutputResponse> answer) => _guest.ReadOutput = request => Task.FromResult(answer(request));
    }

    public void Dispose()
    {
        _container.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private Supervisor NewSupervisor(SupervisorOptions options) =>
        new(_container, _guest, options, () => _finished = true, NullLogger.Instance);

    private async Task<ExitStatus> RunAsync(SupervisorOptions? options = null)
    {
        await NewSupervisor(options ?? new()).RunAsync(CancellationToken.None).WaitAsync(Deadline);
        return await _container.Ended.WaitAsync(Deadline);
    }

    private byte[] Kept(OutputStream stream)
    {
        using var log = new OutputLog(_container.Directory.OutputLogPath);
        using var history = log.Snapshot();
        return [.. history.Read().Where(chunk => chunk.Stream == stream).SelectMany(chunk => chunk.Data.ToArray())];
    }

    private static byte[] Text(int length) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + i % 26))));
}
