using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Hypha.Protocol.Guest;
using Hypha.Ttrpc;
using Process = Hypha.Protocol.Guest.Process;

namespace Hypha.Guest.Tests.Vm;

/// <summary>
/// The guest's real init in a plain virtual machine: virtio disks for Xen's, and a virtio serial port for vchan. Runs where
/// HYPHA_TEST_KERNEL and HYPHA_TEST_INITRD name a kernel and an initrd (test.sh makes them).
/// </summary>
internal sealed class GuestVm : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("hypha-vm-");
    private readonly System.Diagnostics.Process _qemu;
    private readonly Dictionary<Protocol.Guest.Stream, ulong> _offsets = [];

    private GuestVm(Bundle bundle, string image)
    {
        System.IO.File.WriteAllBytes(PathOf("bundle.img"), BundleFile.Disk(bundle));
        string[] arguments =
        [
            "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "256", "-display", "none", "-no-reboot", "-nodefaults",
            "-serial", $"file:{PathOf("console.log")}",
            "-kernel", Environment.GetEnvironmentVariable("HYPHA_TEST_KERNEL")!,
            "-initrd", Environment.GetEnvironmentVariable("HYPHA_TEST_INITRD")!,
            "-append", "console=ttyS0 loglevel=4 panic=-1 hypha.bundle=/dev/vdb hypha.channel=/dev/vport0p1",
            "-device", "virtio-serial-pci", "-chardev", $"socket,id=agent,path={PathOf("agent.sock")},server=on,wait=on",
            "-device", "virtserialport,chardev=agent,nr=1",
            "-drive", $"file={image},format=raw,if=virtio,readonly=on",
            "-drive", $"file={PathOf("bundle.img")},format=raw,if=virtio,readonly=on",
        ];
        _qemu = System.Diagnostics.Process.Start(new ProcessStartInfo("qemu-system-x86_64", arguments) { RedirectStandardError = true })!;
    }

    public static bool IsPossible => Environment.GetEnvironmentVariable("HYPHA_TEST_INITRD") is not null;

    public TtrpcClient Agent { get; private set; } = null!;

    public string Console => System.IO.File.Exists(PathOf("console.log")) ? System.IO.File.ReadAllText(PathOf("console.log")) : "";

    public static async Task<GuestVm> Boot(Process process, Action<Bundle>? change = null, string? image = null)
    {
        Assert.SkipUnless(IsPossible, "no HYPHA_TEST_INITRD: ./test.sh --e2e runs these");
        if (process.Env.Count == 0)
            process.Env.Add("PATH=/usr/local/bin:/usr/bin:/bin");
        var bundle = new Bundle
        {
            ContainerId = "6a8d0d5c-0000-4000-8000-000000000001",
            Hostname = "guest",
            Process = process,
            Root = new Root { Device = "/dev/vda", FsType = "squashfs" },
            Debug = true,
        };
        change?.Invoke(bundle);
        var vm = new GuestVm(bundle, image ?? BusyboxImage.Path);
        await vm.Connect();
        return vm;
    }

    public static Process Shell(string script) => new() { Args = { "/bin/sh", "-c", script } };

    public async Task<TResponse> Call<TResponse>(string method, IMessage request, MessageParser<TResponse> parser)
        where TResponse : IMessage<TResponse>
    {
        try
        {
            return await Agent.CallAsync("hypha.guest.v1.Agent", method, request, parser).WaitAsync(Deadline);
        }
        catch (Exception e) when (e is TimeoutException or TtrpcException { StatusCode: StatusCode.Unavailable })
        {
            throw new InvalidOperationException($"{method}: {e.Message}; the guest's console:\n{Console}", e);
        }
    }

    public Task<WaitResponse> Wait() => Call("Wait", new WaitRequest(), WaitResponse.Parser);

    public async Task Input(string text) => Assert.False(
        (await Call("WriteInput", new WriteInputRequest { Data = ByteString.CopyFromUtf8(text) }, WriteInputResponse.Parser)).Closed);

    /// <summary>Reads a stream to its end, or until it holds a text.</summary>
    public async Task<string> Read(Protocol.Guest.Stream stream, string? until = null)
    {
        var text = new StringBuilder();
        while (true)
        {
            ulong offset = _offsets.GetValueOrDefault(stream);
            var piece = await Call("ReadOutput", new ReadOutputRequest { Stream = stream, Offset = offset, MaxBytes = 65536 }, ReadOutputResponse.Parser);
            Assert.Equal(offset, piece.Offset);
            _offsets[stream] = offset + (ulong)piece.Data.Length;
            text.Append(piece.Data.ToStringUtf8());
            if (piece.End || until is not null && text.ToString().Contains(until, StringComparison.Ordinal))
                return text.ToString();
        }
    }

    public Task<string> Output(string? until = null) => Read(Protocol.Guest.Stream.Stdout, until);

    public Task<string> ErrorOutput() => Read(Protocol.Guest.Stream.Stderr);

    /// <summary>Releases the guest and waits until the machine is off.</summary>
    public async Task Release()
    {
        await Call("Release", new ReleaseRequest(), ReleaseResponse.Parser);
        await _qemu.WaitForExitAsync().WaitAsync(Deadline);
        Assert.Equal(0, _qemu.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        Agent?.Dispose();
        if (!_qemu.HasExited)
            _qemu.Kill();
        await _qemu.WaitForExitAsync();
        _qemu.Dispose();
        if (Environment.GetEnvironmentVariable("HYPHA_TEST_VERBOSE") is not null)
            TestContext.Current.TestOutputHelper?.WriteLine(Console);
        _directory.Delete(recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private async Task Connect()
    {
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(PathOf("agent.sock")));
                Agent = new TtrpcClient(new NetworkStream(socket, ownsSocket: true), new TtrpcLimits { MaxMessage = 1 << 20 });
                return;
            }
            catch (SocketException) when (Environment.TickCount64 < end)
            {
                socket.Dispose();
                if (_qemu.HasExited)
                    throw new InvalidOperationException($"QEMU ended: {await _qemu.StandardError.ReadToEndAsync()}");
                await Task.Delay(20);
            }
        }
    }
}
