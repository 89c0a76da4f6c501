using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>What a kernel says of itself to who builds a Xen domain for it (xen/include/public/elfnote.h).</summary>
public sealed record XenElfNotes
{
    /// <summary>Any note of the owner "Xen" was there.</summary>
    public bool Present { get; private init; }

    public ulong? Entry { get; private init; }

    /// <summary>Absent in kernels that make their hypercalls without the page (Linux since its fix of XSA-466).</summary>
    public ulong? HypercallPage { get; private init; }

    public ulong VirtBase { get; private init; }

    /// <summary>What p_paddr has too much by.</summary>
    public ulong PaddrOffset { get; private init; }

    public string? XenVersion { get; private init; }
    public string? GuestOs { get; private init; }
    public string? GuestVersion { get; private init; }
    public string? Loader { get; private init; }
    public string? PaeMode { get; private init; }

    /// <summary>Names as in features.h, "!" in front of those that the kernel cannot do without.</summary>
    public IReadOnlyList<string> Features { get; private init; } = [];

    public uint SupportedFeatures { get; private init; }
    public ulong? HypervisorStartLow { get; private init; }

    /// <summary>Where the p2m list is wanted, outside of the initial mapping.</summary>
    public ulong? InitP2M { get; private init; }

    /// <summary>The initrd may be given by its frame number and need not be mapped.</summary>
    public bool ModStartPfn { get; private init; }

    public bool SuspendCancel { get; private init; }
    public ulong? L1MfnValidMask { get; private init; }
    public ulong? L1MfnValidValue { get; private init; }

    /// <summary>The entry of a PVH guest.</summary>
    public ulong? Phys32Entry { get; private init; }

    /// <summary>Why the kernel cannot run as a 64-bit PV guest; null when it can.</summary>
    public string? WhyNotPv() =>
        !Present ? "it has no Xen ELF notes (CONFIG_XEN_PV)"
        : Entry is null ? "it has no entry for PV guests (CONFIG_XEN_PV)"
        : Loader is not (null or "generic") ? $"it wants the loader \"{Loader}\""
        : Features.Contains("!auto_translated_physmap") ? "it runs translated guests only"
        : Features.Contains("!supervisor_mode_kernel") ? "it wants to run in supervisor mode"
        : null;

    internal static XenElfNotes Parse(ReadOnlySpan<byte> notes)
    {
        XenElfNotes result = new();
        // Elf64_Nhdr: namesz, descsz, type; then name and descriptor, each padded to 4.
        while (notes.Length >= 12)
        {
            uint nameSize = ReadUInt32LittleEndian(notes), size = ReadUInt32LittleEndian(notes[4..]), type = ReadUInt32LittleEndian(notes[8..]);
            notes = notes[12..];
            ulong nameEnd = (nameSize + 3ul) & ~3ul, end = nameEnd + ((size + 3ul) & ~3ul);
            if (end > (ulong)notes.Length)
                throw new KernelImageException("the kernel's ELF notes are corrupt: one reaches beyond their end");
            if (notes[..(int)nameSize].SequenceEqual("Xen\0"u8))
                result = result.With(type, notes.Slice((int)nameEnd, (int)size));
            notes = notes[(int)end..];
        }
        return result;
    }

    private XenElfNotes With(uint type, ReadOnlySpan<byte> value)
    {
        XenElfNotes notes = Present ? this : this with { Present = true };
        return type switch
        {
            1 => notes with { Entry = Number(value) },
            2 => notes with { HypercallPage = Number(value) },
            3 => notes with { VirtBase = Number(value) },
            4 => notes with { PaddrOffset = Number(value) },
            5 => notes with { XenVersion = Text(value) },
            6 => notes with { GuestOs = Text(value) },
            7 => notes with { GuestVersion = Text(value) },
            8 => notes with { Loader = Text(value) },
            9 => notes with { PaeMode = Text(value) },
            10 => notes with { Features = Text(value).Split('|', StringSplitOptions.RemoveEmptyEntries) },
            12 => notes with { HypervisorStartLow = Number(value) },
            13 when value.Length >= 16 => notes with { L1MfnValidMask = Number(value[..8]), L1MfnValidValue = Number(value[8..16]) },
            14 => notes with { SuspendCancel = Number(value) != 0 },
            15 => notes with { InitP2M = Number(value) },
            16 => notes with { ModStartPfn = Number(value) != 0 },
            17 => notes with { SupportedFeatures = (uint)Number(value) },
            18 => notes with { Phys32Entry = Number(value) },
            _ => notes,
        };
    }

    private static ulong Number(ReadOnlySpan<byte> value) => value.Length switch
    {
        1 => value[0],
        2 => ReadUInt16LittleEndian(value),
        4 => ReadUInt32LittleEndian(value),
        8 => ReadUInt64LittleEndian(value),
        _ => throw new KernelImageException($"the kernel's ELF notes are corrupt: a number of {value.Length} bytes"),
    };

    private static string Text(ReadOnlySpan<byte> value)
    {
        int end = value.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? value : value[..end]);
    }
}
