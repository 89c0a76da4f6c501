using Hypha.DomainBuilder.Kernel;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Tests.Kernel;

public sealed class KernelImageTests
{
    public static TheoryData<string> Tools => ["none", "gzip", "bzip2", "lzma", "xz", "lz4", "zstd"];

    [Theory, MemberData(nameof(Tools))]
    public void A_bzImage_unpacks_to_the_kernel_that_was_packed(string tool)
    {
        SyntheticKernel source = new() { TextSize = 300_001 };
        byte[] file = SyntheticKernel.BzImage(SyntheticKernel.Pack(source.Elf(), tool));
        using KernelImage kernel = KernelImage.Load(file, "k");
        AssertLoaded(source, kernel);
    }

    [Theory, InlineData("gzip"), InlineData("zstd"), InlineData("xz")]
    public void A_packed_vmlinux_is_taken_too(string tool)
    {
        SyntheticKernel source = new();
        byte[] packed = SyntheticKernel.Pack(source.Elf(), tool);
        using KernelImage kernel = KernelImage.Load(tool == "gzip" ? packed : packed.AsMemory(..^4), "k");
        AssertLoaded(source, kernel);
    }

    [Fact]
    public void Blocks_of_lz4_larger_than_one_unpack()
    {
        SyntheticKernel source = new() { TextSize = 19 << 20 };
        using KernelImage kernel = KernelImage.Load(SyntheticKernel.BzImage(SyntheticKernel.Pack(source.Elf(), "lz4")), "k");
        AssertLoaded(source, kernel);
    }

    [Fact]
    public void Zero_setup_sectors_mean_four()
    {
        SyntheticKernel source = new();
        using KernelImage kernel = KernelImage.Load(SyntheticKernel.BzImage(source.Elf(), setupSectors: 0), "k");
        AssertLoaded(source, kernel);
    }

    [Fact]
    public void The_notes_are_read()
    {
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel { HypercallPage = true }.Elf(), "k");
        XenElfNotes notes = kernel.Elf.Notes;
        Assert.Equal("linux", notes.GuestOs);
        Assert.Equal("xen-3.0", notes.XenVersion);
        Assert.Equal(SyntheticKernel.VirtBase, notes.VirtBase);
        Assert.Equal(SyntheticKernel.Entry, notes.Entry);
        Assert.Equal(SyntheticKernel.VirtBase + SyntheticKernel.PhysicalStart + 0x1000, notes.HypercallPage);
        Assert.Equal(0x8000000000ul, notes.InitP2M);
        Assert.True(notes.ModStartPfn);
        Assert.Equal(["!writable_page_tables", "pae_pgdir_above_4gb"], notes.Features);
        Assert.Null(notes.WhyNotPv());
    }

    [Fact]
    public void A_kernel_without_Xen_notes_says_so()
    {
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel { Notes = false }.Elf(), "k");
        Assert.Contains("CONFIG_XEN_PV", kernel.Elf.Notes.WhyNotPv());
    }

    [Theory]
    [InlineData("", "the kernel file is empty")]
    [InlineData("#!/bin/sh\necho no kernel\n", "neither a bzImage nor an ELF vmlinux")]
    [InlineData("MZ and nothing else that is known", "EFI program")]
    public void What_is_no_kernel_is_named(string content, string why)
    {
        KernelImageException e = Assert.Throws<KernelImageException>(
            () => KernelImage.Load(System.Text.Encoding.ASCII.GetBytes(content), "/boot/it"));
        Assert.StartsWith("cannot use the kernel /boot/it: ", e.Message);
        Assert.Contains(why, e.Message);
    }

    [Fact]
    public void A_missing_file_and_a_directory_are_named()
    {
        Assert.Equal("cannot use the kernel /nonexistent/vmlinuz: there is no such file",
            Assert.Throws<KernelImageException>(() => KernelImage.Load("/nonexistent/vmlinuz")).Message);
        Assert.Equal("cannot use the kernel /tmp: it is a directory",
            Assert.Throws<KernelImageException>(() => KernelImage.Load("/tmp")).Message);
    }

    [Theory, MemberData(nameof(Tools))]
    public void A_kernel_cut_short_anywhere_is_refused(string tool)
    {
        byte[] elf = new SyntheticKernel { TextSize = 20_000 }.Elf();
        byte[] file = SyntheticKernel.BzImage(SyntheticKernel.Pack(elf, tool))[..^333];
        for (int length = 1; length < file.Length; length += 97)
            Assert.Throws<KernelImageException>(() => KernelImage.Load(file.AsMemory(0, length), "k").Dispose());
    }

    [Theory, InlineData(-1), InlineData(1)]
    public void A_payload_whose_size_field_lies_is_refused(int difference)
    {
        byte[] elf = new SyntheticKernel().Elf();
        byte[] payload = SyntheticKernel.Pack(elf, "zstd");
        WriteInt32LittleEndian(payload.AsSpan(^4..), elf.Length + difference);
        Assert.Throws<KernelImageException>(() => KernelImage.Load(SyntheticKernel.BzImage(payload), "k"));
    }

    [Theory, InlineData("zstd"), InlineData("gzip"), InlineData("xz")]
    public void A_bomb_is_stopped_at_the_size_it_promised(string tool)
    {
        byte[] payload = SyntheticKernel.Pack(new byte[64 << 20], tool);
        WriteInt32LittleEndian(payload.AsSpan(^4..), 1 << 20);
        KernelImageException e = Assert.Throws<KernelImageException>(() => KernelImage.Load(SyntheticKernel.BzImage(payload), "k"));
        Assert.Matches("goes on behind|corrupt", e.Message);
    }

    [Fact]
    public void A_promise_beyond_the_limit_is_refused_before_anything_is_unpacked()
    {
        byte[] payload = SyntheticKernel.Pack(new SyntheticKernel().Elf(), "xz");
        WriteUInt32LittleEndian(payload.AsSpan(^4..), 0xf0000000);
        Assert.Contains("at most", Assert.Throws<KernelImageException>(() => KernelImage.Load(SyntheticKernel.BzImage(payload), "k")).Message);
    }

    [Theory, MemberData(nameof(Tools))]
    public void Flipped_bits_never_do_worse_than_a_refusal(string tool)
    {
        byte[] file = SyntheticKernel.BzImage(SyntheticKernel.Pack(new SyntheticKernel { TextSize = 6000 }.Elf(), tool));
        Random random = new(4711);
        for (int round = 0; round < 400; round++)
        {
            byte[] broken = (byte[])file.Clone();
            for (int flips = 1 + round % 4; flips > 0; flips--)
            {
                // Headers are a small part of the file and deserve half of the blows.
                int at = random.Next(2) == 0 ? random.Next(0x1f0, 0x250) : random.Next(file.Length);
                if (tool == "none" && random.Next(2) == 0)
                    at = 3 * 512 + 700 + random.Next(64 + 2 * 56 + 200);
                broken[at] ^= (byte)(1 << random.Next(8));
            }
            try
            {
                KernelImage.Load(broken, "k").Dispose();
            }
            catch (KernelImageException)
            {
            }
        }
    }

    internal static void AssertLoaded(SyntheticKernel source, KernelImage kernel)
    {
        ElfSegment segment = Assert.Single(kernel.Elf.Segments);
        Assert.Equal(SyntheticKernel.PhysicalStart, segment.PhysicalAddress);
        Assert.True(segment.FileSize >= source.TextSize);
        Assert.Equal(source.TextSize + source.BssSize, segment.MemorySize);
        byte[] bytes = new byte[segment.FileSize];
        kernel.Read(segment, 0, bytes);
        Assert.Equal(source.Text(), bytes[..source.TextSize]);
        Assert.DoesNotContain(bytes[source.TextSize..], b => b != 0);
    }
}
