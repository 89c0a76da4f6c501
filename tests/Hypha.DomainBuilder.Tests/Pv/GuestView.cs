using System.Runtime.InteropServices;
using System.Text;
using Hypha.Xen;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Tests.Pv;

/// <summary>
/// What a PV kernel sees at its first instruction: memory through the page tables that CR3 names, and start_info at RSI. Written
/// from xen.h and the processor's manual, not from the code under test.
/// </summary>
internal sealed class GuestView
{
    private const ulong AddressMask = 0x000ffffffffff000;
    private readonly MemoryHypervisor _machine;
    private readonly ulong _top;

    public GuestView(MemoryHypervisor machine)
    {
        _machine = machine;
        VcpuGuestContext context = machine.Context!.Value;
        _top = context.ControlRegisters[3] >> 12;
        Assert.Equal(machine.PinnedTop, _top);
        Tables = FindTables();
    }

    /// <summary>Level of each machine frame that serves as a page table.</summary>
    public Dictionary<ulong, int> Tables { get; }

    /// <returns>The entry's frame and whether it can be written; null where nothing is mapped.</returns>
    public (ulong Mfn, bool Writable)? Walk(ulong address)
    {
        ulong table = _top;
        for (int level = 4; ; level--)
        {
            ulong entry = Entry(table, (int)(address >> (12 + (9 * (level - 1)))) & 511);
            if ((entry & 1) == 0)
                return null;
            if (level == 1)
                return ((entry & AddressMask) >> 12, (entry & 2) != 0);
            table = (entry & AddressMask) >> 12;
        }
    }

    public byte[] Read(ulong address, int length)
    {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length;)
        {
            ulong at = address + (ulong)done;
            (ulong mfn, _) = Walk(at) ?? throw new InvalidOperationException($"0x{at:x} is not mapped");
            int offset = (int)(at & 4095), n = Math.Min(4096 - offset, length - done);
            _machine.Page(mfn).AsSpan(offset, n).CopyTo(bytes.AsSpan(done));
            done += n;
        }
        return bytes;
    }

    public ulong Word(ulong address) => ReadUInt64LittleEndian(Read(address, 8));

    /// <summary>Bytes of pseudo-physical memory, mapped or not.</summary>
    public byte[] ReadPhysical(ulong pfn, int length)
    {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length; done += 4096)
            _machine.Page(_machine.MachineOf[pfn + (ulong)(done / 4096)]).AsSpan(0, Math.Min(4096, length - done)).CopyTo(bytes.AsSpan(done));
        return bytes;
    }

    /// <summary>As Xen's pinning does: every table has one level, is the domain's, and no mapping of it can be written.</summary>
    public void CheckTables()
    {
        foreach ((ulong table, int level) in Tables)
        {
            if (level != 1)
                continue;
            foreach (ulong entry in Entries(table))
            {
                if ((entry & 1) == 0)
                    continue;
                ulong mfn = (entry & AddressMask) >> 12;
                _machine.FrameOf(mfn); // throws for another's frame
                if (Tables.ContainsKey(mfn))
                    Assert.Equal(0ul, entry & 2);
            }
        }
    }

    private Dictionary<ulong, int> FindTables()
    {
        Dictionary<ulong, int> tables = new() { [_top] = 4 };
        Queue<ulong> open = new([_top]);
        while (open.TryDequeue(out ulong table))
        {
            int level = tables[table];
            if (level == 1)
                continue;
            foreach (ulong entry in Entries(table))
            {
                if ((entry & 1) == 0)
                    continue;
                ulong next = (entry & AddressMask) >> 12;
                _machine.FrameOf(next);
                Assert.True(tables.TryAdd(next, level - 1), $"table 0x{next:x} is used twice");
                open.Enqueue(next);
            }
        }
        return tables;
    }

    private ulong Entry(ulong table, int index) => Entries(table)[index];

    private ReadOnlySpan<ulong> Entries(ulong table) => MemoryMarshal.Cast<byte, ulong>(_machine.Page(table));
}

/// <summary>start_info's fields by the offsets that a C compiler gives them (xen.h; checked with gcc 12).</summary>
internal readonly struct StartInfoView(GuestView guest, ulong address)
{
    private readonly byte[] _bytes = guest.Read(address, 1168);

    public string Magic => Text(0, 32);
    public ulong Pages => Word(32);
    public ulong SharedInfo => Word(40);
    public uint Flags => ReadUInt32LittleEndian(_bytes.AsSpan(48));
    public ulong StoreMfn => Word(56);
    public uint StorePort => ReadUInt32LittleEndian(_bytes.AsSpan(64));
    public ulong ConsoleMfn => Word(72);
    public uint ConsolePort => ReadUInt32LittleEndian(_bytes.AsSpan(80));
    public ulong TableBase => Word(88);
    public ulong TableFrames => Word(96);
    public ulong MfnList => Word(104);
    public ulong ModStart => Word(112);
    public ulong ModLength => Word(120);
    public string CommandLine => Text(128, 1024);
    public ulong FirstP2MPfn => Word(1152);
    public ulong P2MFrames => Word(1160);

    private ulong Word(int at) => ReadUInt64LittleEndian(_bytes.AsSpan(at));

    private string Text(int at, int length)
    {
        Span<byte> bytes = _bytes.AsSpan(at, length);
        int end = bytes.IndexOf((byte)0);
        Assert.True(end >= 0);
        return Encoding.UTF8.GetString(bytes[..end]);
    }
}
