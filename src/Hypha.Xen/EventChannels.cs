using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>
/// The event channels of this process (/dev/xen/evtchn). One thread waits for all of them, without a timeout: an idle process
/// is never woken.
/// </summary>
/// <remarks>Safe to use from several threads. Disposing it ends every wait and unbinds every port.</remarks>
public sealed class EventChannels : IDisposable
{
    private const string Path = "/dev/xen/evtchn";

    private readonly FileDescriptor _file;
    private readonly EventFile _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, EventChannel> _channels = [];
    private readonly HashSet<uint> _early = []; // ports with an event that came before their channel was known here
    private readonly Thread _reader;
    private int _disposed;

    private EventChannels(FileDescriptor file)
    {
        _file = file;
        _reader = new Thread(Dispatch, maxStackSize: 128 * 1024) { IsBackground = true, Name = "event channels" };
        _reader.Start();
    }

    public static EventChannels Open() => new(Privcmd.OpenDevice(Path));

    /// <summary>Connects to a port that another domain made for this one.</summary>
    /// <remarks>Xen sends the new channel one event at once, for those that the other side may have sent before.</remarks>
    // unsafe, here and below: the kernel reads the request from this frame of the stack.
    public unsafe EventChannel BindInterdomain(DomainId remote, EvtchnPort remotePort)
    {
        var request = new EvtchnIoctl.Interdomain { remote_domain = remote.Value, remote_port = remotePort.Value };
        return Bind(EvtchnIoctl.BindInterdomain, (nint)(&request), $"binding an event channel to {remotePort} of {remote}");
    }

    /// <summary>Makes a port to which another domain may connect; tell it the number.</summary>
    public unsafe EventChannel BindUnbound(DomainId remote)
    {
        uint domain = remote.Value;
        return Bind(EvtchnIoctl.BindUnboundPort, (nint)(&domain), $"making an event channel for {remote}");
    }

    /// <summary>Receives one of the hypervisor's own interrupts. A global one, such as <see cref="Virq.DomainException"/>, has one receiver only.</summary>
    public unsafe EventChannel BindVirq(Virq virq)
    {
        uint number = (uint)virq;
        return Bind(EvtchnIoctl.BindVirq, (nint)(&number), $"binding the virtual interrupt {virq}");
    }

    private EventChannel Bind(nuint request, nint argument, string what)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        int port = FailureText.Check(_file.TryIoctl(request, argument), $"{what}");
        var channel = new EventChannel(this, new EvtchnPort((uint)port));
        bool early;
        lock (_lock)
        {
            _channels[(uint)port] = channel;
            early = _early.Remove((uint)port);
        }

        if (early)
            channel.Fire();
        return channel;
    }

    internal unsafe void Notify(EvtchnPort port)
    {
        uint number = port.Value;
        FailureText.Check(_file.TryIoctl(EvtchnIoctl.Notify, (nint)(&number)), $"notifying {port}");
    }

    internal void Unmask(EvtchnPort port)
    {
        uint number = port.Value;
        _file.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(ref number)), "unmasking an event channel");
    }

    internal unsafe bool Unbind(EvtchnPort port)
    {
        lock (_lock)
            _channels.Remove(port.Value);
        uint number = port.Value;
        try
        {
            return _file.TryIoctl(EvtchnIoctl.Unbind, (nint)(&number)) >= 0;
        }
        catch (ObjectDisposedException)
        {
            return true; // closing the file has unbound all of its ports
        }
    }

    private void Dispatch()
    {
        Span<uint> ports = stackalloc uint[256];
        while (_stop.WaitReadable(_file))
        {
            int bytes;
            try
            {
                bytes = _file.Read(MemoryMarshal.AsBytes(ports), "reading event channels");
            }
            catch (LinuxException e) when (e.Error == Errno.EFBIG)
            {
                Overflow();
                continue;
            }

            foreach (uint port in ports[..(bytes / sizeof(uint))])
            {
                EventChannel? channel;
                lock (_lock)
                    if (!_channels.TryGetValue(port, out channel))
                        _early.Add(port);
                channel?.Fire();
            }
        }
    }

    // linux/drivers/xen/evtchn.c answers EFBIG when its ring has overflowed: which ports had events is lost, so each gets one.
    private void Overflow()
    {
        _file.Ioctl(EvtchnIoctl.Reset, 0, "resetting the event channels' ring");
        foreach (EventChannel channel in All())
            channel.Fire();
    }

    private EventChannel[] All()
    {
        lock (_lock)
            return [.. _channels.Values];
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _stop.Set();
        if (Thread.CurrentThread != _reader)
            _reader.Join();
        foreach (EventChannel channel in All())
            channel.Dispose();
        _stop.Dispose();
        _file.Dispose();
    }
}

/// <summary>Interrupts that the hypervisor makes itself (public/xen.h, VIRQ_*).</summary>
public enum Virq : uint
{
    Timer = 0,
    Debug = 1,
    Console = 2,

    /// <summary>Some domain died or shut down.</summary>
    DomainException = 3,
}
