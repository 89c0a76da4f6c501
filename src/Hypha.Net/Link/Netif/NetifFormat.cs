using System.Runtime.InteropServices;

namespace Hypha.Net.Link.Netif;

/// <summary>struct xen_netif_tx_request (public/io/netif.h): a piece of a frame from the guest; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct TransmitRequest(uint Grant, ushort Offset, TransmitFlags Flags, ushort Id, ushort Size)
{
    public const int EntrySize = 12; // bytes, and more than a response has
}

[Flags]
internal enum TransmitFlags : ushort
{
    /// <summary>XEN_NETTXF_csum_blank: the checksum is the pseudo header's alone.</summary>
    ChecksumBlank = 1,

    /// <summary>XEN_NETTXF_data_validated</summary>
    DataValidated = 2,

    /// <summary>XEN_NETTXF_more_data: the next request continues the frame.</summary>
    MoreData = 4,

    /// <summary>XEN_NETTXF_extra_info: the next slot is an <see cref="ExtraInfo"/>.</summary>
    ExtraInfo = 8,
}

/// <summary>struct xen_netif_tx_response</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct TransmitResponse(ushort Id, NetifStatus Status);

internal enum NetifStatus : short
{
    Dropped = -2,
    Error = -1,
    Okay = 0,

    /// <summary>XEN_NETIF_RSP_NULL: for a slot that was no request.</summary>
    Null = 1,
}

/// <summary>struct xen_netif_rx_request: a page of the guest's for a piece of a frame; 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct ReceiveRequest(ushort Id, ushort Pad, uint Grant)
{
    public const int EntrySize = 8; // bytes, as a response has
}

[Flags]
internal enum ReceiveFlags : ushort
{
    DataValidated = 1,
    ChecksumBlank = 2,
    MoreData = 4,
    ExtraInfo = 8,
}

/// <summary>struct xen_netif_rx_response</summary>
/// <param name="Status">Bytes in the page, or a negative <see cref="NetifStatus"/>.</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct ReceiveResponse(ushort Id, ushort Offset, ReceiveFlags Flags, short Status);

/// <summary>struct xen_netif_extra_info; the union's "gso" part: the only kind that is sent or taken.</summary>
/// <param name="Type">XEN_NETIF_EXTRA_TYPE_*</param>
/// <param name="Flags">XEN_NETIF_EXTRA_FLAG_MORE</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct ExtraInfo(byte Type, byte Flags, ushort SegmentSize, byte SegmentType, byte Pad, ushort Features)
{
    public const byte Segmentation = 1, MoreFlag = 1; // XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE
    public const byte TcpV4 = 1, TcpV6 = 2;           // XEN_NETIF_GSO_TYPE_*
    public const byte LastType = 4;                   // XEN_NETIF_EXTRA_TYPE_HASH
}
