namespace Hypha.Xen;

/// <summary>
/// A vchan's first page (public/io/libxenvchan.h, vchan_interface): two rings' indices, their sizes, who lives, who wants to be
/// told of what, and the grants of the rings' pages.
/// </summary>
internal static class VchanLayout
{
    // struct ring_shared left: the client writes, the server reads
    internal const int LeftConsumer = 0;
    internal const int LeftProducer = 4;

    // struct ring_shared right: the server writes, the client reads
    internal const int RightConsumer = 8;
    internal const int RightProducer = 12;

    internal const int LeftOrder = 16;    // u16, the ring's size is 2^order bytes
    internal const int RightOrder = 18;   // u16
    internal const int ClientLive = 20;   // u8
    internal const int ServerLive = 21;   // u8
    internal const int ClientNotify = 22; // u8, of what the client tells the server
    internal const int ServerNotify = 23; // u8, of what the server tells the client
    internal const int Grants = 24;       // u32 each: left, then right

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
