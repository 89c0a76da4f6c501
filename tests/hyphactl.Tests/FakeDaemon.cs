using System.Net;
using Grpc.Core;
using Hypha.Protocol.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hypha.Ctl.Tests;

/// <summary>
/// A control API on a real unix socket whose answers a test decides. What a test does not decide is Unimplemented, as it is
/// of a daemon that is older than its client.
/// </summary>
internal sealed class FakeDaemon : Control.ControlBase, IAsyncDisposable
{
    public const string Id = "4f1c2b3a-0000-4000-8000-000000000001";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("hyphactl-test-");
    private WebApplication? _application;

    public string Socket => Path.Combine(_directory.FullName, "hyphad.sock");

    public Func<LaunchRequest, IServerStreamWriter<LaunchEvent>, ServerCallContext, Task>? OnLaunch { get; set; }

    public Func<IAsyncStreamReader<AttachRequest>, IServerStreamWriter<AttachEvent>, ServerCallContext, Task>? OnAttach { get; set; }

    public Func<ListRequest, ListResponse>? OnList { get; set; }

    public Func<DestroyRequest, DestroyResponse>? OnDestroy { get; set; }

    public Func<SignalRequest, SignalResponse>? OnSignal { get; set; }

    public Func<LogsRequest, IServerStreamWriter<AttachEvent>, Task>? OnLogs { get; set; }

    public Func<WaitRequest, WaitResponse>? OnWait { get; set; }

    public Func<CreateNetworkRequest, CreateNetworkResponse>? OnCreateNetwork { get; set; }

    public Func<ListNetworksResponse>? OnListNetworks { get; set; }

    public Func<InspectNetworkRequest, InspectNetworkResponse>? OnInspectNetwork { get; set; }

    public Func<RemoveNetworkRequest, RemoveNetworkResponse>? OnRemoveNetwork { get; set; }

    public Func<ConnectNetworkRequest, ConnectNetworkResponse>? OnConnectNetwork { get; set; }

    public Func<DisconnectNetworkRequest, DisconnectNetworkResponse>? OnDisconnectNetwork { get; set; }

    public Func<HostCheckResponse>? OnHostCheck { get; set; }

    public static async Task<FakeDaemon> StartAsync()
    {
        var daemon = new FakeDaemon();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(daemon.Socket, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(daemon);
        daemon._application = builder.Build();
        daemon._application.MapGrpcService<FakeDaemon>();
        await daemon._application.StartAsync();
        return daemon;
    }

    /// <summary>Launches at once, and says so with this request's name.</summary>
    public void LaunchAtOnce(Action<LaunchRequest>? see = null) => OnLaunch = async (request, events, _) =>
    {
        see?.Invoke(request);
        await events.WriteAsync(new LaunchEvent { Launched = new Launched { Id = Id, Name = request.Name } });
    };

    /// <summary>Ends all connections without a word, as a daemon does that is killed.</summary>
    public async Task DieAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application!.StopAsync(now.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await DieAsync();
        await _application!.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    public override Task Launch(LaunchRequest request, IServerStreamWriter<LaunchEvent> responseStream, ServerCallContext context) =>
        OnLaunch?.Invoke(request, responseStream, context) ?? throw Unimplemented();

    public override Task Attach(IAsyncStreamReader<AttachRequest> requestStream, IServerStreamWriter<AttachEvent> responseStream, ServerCallContext context) =>
        OnAttach?.Invoke(requestStream, responseStream, context) ?? throw Unimplemented();

    public override Task<ListResponse> List(ListRequest request, ServerCallContext context) => Task.FromResult(OnList?.Invoke(request) ?? throw Unimplemented());

    public override Task<DestroyResponse> Destroy(DestroyRequest request, ServerCallContext context) => Task.FromResult(OnDestroy?.Invoke(request) ?? throw Unimplemented());

    public override Task<SignalResponse> Signal(SignalRequest request, ServerCallContext context) => Task.FromResult(OnSignal?.Invoke(request) ?? throw Unimplemented());

    public override Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context) => Task.FromResult(OnWait?.Invoke(request) ?? throw Unimplemented());

    public override Task Logs(LogsRequest request, IServerStreamWriter<AttachEvent> responseStream, ServerCallContext context) =>
        OnLogs?.Invoke(request, responseStream) ?? throw Unimplemented();

    public override Task<CreateNetworkResponse> CreateNetwork(CreateNetworkRequest request, ServerCallContext context) => Task.FromResult(OnCreateNetwork?.Invoke(request) ?? throw Unimplemented());

    public override Task<ListNetworksResponse> ListNetworks(ListNetworksRequest request, ServerCallContext context) => Task.FromResult(OnListNetworks?.Invoke() ?? throw Unimplemented());

    public override Task<InspectNetworkResponse> InspectNetwork(InspectNetworkRequest request, ServerCallContext context) => Task.FromResult(OnInspectNetwork?.Invoke(request) ?? throw Unimplemented());

    public override Task<RemoveNetworkResponse> RemoveNetwork(RemoveNetworkRequest request, ServerCallContext context) => Task.FromResult(OnRemoveNetwork?.Invoke(request) ?? throw Unimplemented());

    public override Task<ConnectNetworkResponse> ConnectNetwork(ConnectNetworkRequest request, ServerCallContext context) => Task.FromResult(OnConnectNetwork?.Invoke(request) ?? throw Unimplemented());

    public override Task<DisconnectNetworkResponse> DisconnectNetwork(DisconnectNetworkRequest request, ServerCallContext context) => Task.FromResult(OnDisconnectNetwork?.Invoke(request) ?? throw Unimplemented());

    public override Task<HostCheckResponse> HostCheck(HostCheckRequest request, ServerCallContext context) => Task.FromResult(OnHostCheck?.Invoke() ?? throw Unimplemented());

    private static RpcException Unimplemented() => new(new Status(StatusCode.Unimplemented, ""));
}
