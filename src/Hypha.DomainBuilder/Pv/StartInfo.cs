using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Pv;

/// <summary>What a PV guest finds at RSI (xen/include/public/xen.h, start_info).</summary>
internal readonly ref struct StartInfo(Span<byte> page)
{
    /// <summary>MAX_GUEST_CMDLINE, with the terminating zero.</summary>
    public const int MaxCommandLine = 1024;

    private const uint ModStartPfn = 1 << 3;      // SIF_MOD_START_PFN
    private const uint VirtualP2MForTools = 1 << 4; // SIF_VIRT_P2M_4TOOLS: a list longer than the old three-level tree may be linear

    private readonly Span<byte> _page = page;

    /// <summary>Fills the page.</summary>
    public void Write(PvLayout layout, GuestFrames frames, ulong sharedInfoFrame, uint storePort, uint consolePort, string commandLine)
    {
        _page.Clear();
        "xen-3.0-x86_64"u8.CopyTo(_page);                                                  // 0..32, magic
        Put(32, layout.Pages);                                                             // nr_pages
        Put(40, sharedInfoFrame << TableSpan.PageShift);                                   // shared_info, a machine address
        bool byFrame = layout.InitrdLength > 0 && !layout.InitrdIsMapped;
        WriteUInt32LittleEndian(_page[48..], VirtualP2MForTools | (byFrame ? ModStartPfn : 0)); // flags
        Put(56, frames[layout.Store].Value);                                               // store_mfn
        WriteUInt32LittleEndian(_page[64..], storePort);                                   // store_evtchn
        Put(72, frames[layout.Console].Value);                                             // console.domU.mfn
        WriteUInt32LittleEndian(_page[80..], consolePort);                                 // console.domU.evtchn
        Put(88, layout.AddressOf(layout.PageTables.Start));                                // pt_base
        Put(96, layout.PageTables.Count);                                                  // nr_pt_frames
        Put(104, layout.P2MAddress);                                                       // mfn_list
        if (layout.InitrdLength > 0)
            Put(112, byFrame ? layout.Initrd.Start : layout.AddressOf(layout.Initrd.Start)); // mod_start
        Put(120, (ulong)layout.InitrdLength);                                              // mod_len
        Encoding.UTF8.GetBytes(commandLine, _page.Slice(128, MaxCommandLine - 1));         // cmd_line
        Put(1152, layout.P2M.Start);                                                       // first_p2m_pfn
        Put(1160, layout.P2M.Count + layout.P2MTables.Count);                              // nr_p2m_frames
    }

    private void Put(int offset, ulong value) => WriteUInt64LittleEndian(_page[offset..], value);
}
