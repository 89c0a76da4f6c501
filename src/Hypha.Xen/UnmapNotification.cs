using Hypha.Linux;
using Hypha.Xen.Native;

namespace Hypha.Xen;

/// <summary>UNMAP_NOTIFY_*, the same for gntdev and gntalloc.</summary>
internal static class UnmapNotification
{
    // unsafe: the kernel reads the request from this frame of the stack.
    internal static unsafe void Set(FileDescriptor file, ulong index, int offset, EvtchnPort port)
    {
        var request = new GrantIoctl.UnmapNotify
        {
            index = index + (ulong)offset,
            action = GrantIoctl.UNMAP_NOTIFY_CLEAR_BYTE | GrantIoctl.UNMAP_NOTIFY_SEND_EVENT,
            event_channel_port = port.Value,
        };
        FailureText.Check(file.TryIoctl(GrantIoctl.SetUnmapNotify, (nint)(&request)), $"asking for a notice to {port} at unmapping");
    }
}
