namespace Hypha.Xen;

/// <summary>
/// What the fields of a vchan's first page hold (public/io/libxenvchan.h; where they lie: Layout.vchan_interface). Of its two rings the
/// client writes the left and the server the right; a ring of order N holds 2^N bytes. <c>cli_notify</c> is of what the client tells the server.
/// </summary>
internal static class VchanProtocol
{
    internal const byte Gone = 0;
    internal const byte Connected = 1;
    internal const byte NotYetConnected = 2;

    /// <summary>VCHAN_NOTIFY_WRITE: send an event when data is written.</summary>
    internal const byte NotifyWrite = 1;

    /// <summary>VCHAN_NOTIFY_READ: send an event when data is taken.</summary>
    internal const byte NotifyRead = 2;

    // Rings of whole pages only: order 12 and more. Ten and eleven would lie in the first page; nobody here makes them.
    internal const int SmallestOrder = 12;

    // 1 MiB: what a guest may make this process map.
    internal const int LargestOrder = 20;

    internal static int PagesOf(int order) => 1 << (order - Page.Shift);
}
