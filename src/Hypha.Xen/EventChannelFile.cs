using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>Ports behind one file: what a loop needs of them.</summary>
public interface IEventPorts : IDisposable
{
    /// <summary>Of the file: readable when a port had an event.</summary>
    int Number { get; }

    /// <summary>Sends an event to the other end.</summary>
    void Notify(EvtchnPort port);

    /// <summary>Takes ports that had events; they stay masked until <see cref="Unmask"/>.</summary>
    /// <returns>How many; 0 when there are none; <see cref="EventChannelFile.Overflowed"/> when any of them may have had one.</returns>
    int Read(Span<EvtchnPort> ports);

    /// <summary>Lets the next events of these ports through.</summary>
    void Unmask(ReadOnlySpan<EvtchnPort> ports);

    /// <returns>False when the port is none.</returns>
    bool Unbind(EvtchnPort port);
}

/// <summary>
/// A handful of event channels behind one file (/dev/xen/evtchn), for a loop that waits for files. Closing it unbinds all of its ports.
/// </summary>
/// <remarks>A port that had an event stays masked until <see cref="Unmask"/>.</remarks>
public sealed class EventChannelFile : IEventPorts
{
    public const int Overflowed = -1;

    private const string Path = "/dev/xen/evtchn";

    /// <param name="blocking">Whether <see cref="Read"/> waits for an event.</param>
    public EventChannelFile(bool blocking = false) => File = Privcmd.OpenDevice(Path, blocking ? OpenFlags.ReadWrite : OpenFlags.ReadWrite | OpenFlags.NonBlocking);

    public int Number => File.Number;

    internal FileDescriptor File { get; }

    /// <summary>Connects to a port that another domain made for this one.</summary>
    /// <remarks>Xen sends the new channel one event at once, for those that the other side may have sent before.</remarks>
    // unsafe, here and below: the kernel reads the request from this frame of the stack.
    public unsafe EvtchnPort BindInterdomain(DomainId remote, EvtchnPort remotePort)
    {
        var request = new EvtchnIoctl.Interdomain { remote_domain = remote.Value, remote_port = remotePort.Value };
        return Bind(EvtchnIoctl.BindInterdomain, (nint)(&request), $"binding an event channel to {remotePort} of {remote}");
    }

    /// <summary>Makes a port to which another domain may connect; tell it the number.</summary>
    public unsafe EvtchnPort BindUnbound(DomainId remote)
    {
        uint domain = remote.Value;
        return Bind(EvtchnIoctl.BindUnboundPort, (nint)(&domain), $"making an event channel for {remote}");
    }

    /// <summary>Receives one of the hypervisor's own interrupts. A global one, such as <see cref="Virq.DomainException"/>, has one receiver only.</summary>
    public unsafe EvtchnPort BindVirq(Virq virq)
    {
        uint number = (uint)virq;
        return Bind(EvtchnIoctl.BindVirq, (nint)(&number), $"binding the virtual interrupt {virq}");
    }

    public unsafe void Notify(EvtchnPort port)
    {
        uint number = port.Value;
        FailureText.Check(File.TryIoctl(EvtchnIoctl.Notify, (nint)(&number)), $"notifying {port}");
    }

    public int Read(Span<EvtchnPort> ports)
    {
        int bytes = File.TryRead(MemoryMarshal.AsBytes(ports));
        if (bytes >= 0)
            return bytes / sizeof(uint);
        if (-bytes != (int)Errno.EFBIG)
            return -bytes == (int)Errno.EAGAIN ? 0 : throw new XenException("reading event channels", (Errno)(-bytes));
        // linux/drivers/xen/evtchn.c: its ring has overflowed, and which ports had events is lost.
        File.Ioctl(EvtchnIoctl.Reset, 0, "resetting the event channels' ring");
        return Overflowed;
    }

    public void Unmask(ReadOnlySpan<EvtchnPort> ports) => File.Write(MemoryMarshal.AsBytes(ports), "unmasking event channels");

    public unsafe bool Unbind(EvtchnPort port)
    {
        uint number = port.Value;
        try
        {
            return File.TryIoctl(EvtchnIoctl.Unbind, (nint)(&number)) >= 0;
        }
        catch (ObjectDisposedException)
        {
            return true; // closing the file has unbound all of its ports
        }
    }

    public void Dispose() => File.Dispose();

    private EvtchnPort Bind(nuint request, nint argument, string what) =>
        new((uint)FailureText.Check(File.TryIoctl(request, argument), $"{what}"));
}
