using Hypha.DomainBuilder.Kernel;

namespace Hypha.DomainBuilder.Tests.Kernel;

public sealed class KernelCacheTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-kernels-").FullName;

    private string CacheDirectory => Path.Combine(_directory, "cache");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_kernel_is_unpacked_once_and_comes_out_as_it_was()
    {
        SyntheticKernel source = new();
        string file = Write("vmlinuz", SyntheticKernel.BzImage(SyntheticKernel.Pack(source.Elf(), "xz")));
        KernelCache cache = new(CacheDirectory);
        using (KernelImage first = cache.Open(file))
            KernelImageTests.AssertLoaded(source, first);
        string cached = Assert.Single(Directory.GetFiles(CacheDirectory));
        DateTime written = File.GetLastWriteTimeUtc(cached);
        using (KernelImage second = new KernelCache(CacheDirectory).Open(file))
            KernelImageTests.AssertLoaded(source, second);
        Assert.Equal(cached, Assert.Single(Directory.GetFiles(CacheDirectory)));
        Assert.Equal(written, File.GetLastWriteTimeUtc(cached));
    }

    [Fact]
    public void What_is_cached_ends_where_the_zeroes_begin()
    {
        SyntheticKernel source = new() { BssSize = 4 << 20 };
        using KernelImage kernel = new KernelCache(CacheDirectory).Open(Write("vmlinux", source.Elf(zeroesInFile: 4 << 20)));
        Assert.Equal(source.TextSize, Assert.Single(kernel.Elf.Segments).FileSize);
        Assert.Equal(source.TextSize + source.BssSize, kernel.Elf.Segments[0].MemorySize);
        Assert.Equal(SyntheticKernel.Entry, kernel.Elf.Notes.Entry);
        Assert.True(new FileInfo(Assert.Single(Directory.GetFiles(CacheDirectory))).Length < 64 * 1024);
    }

    [Fact]
    public void A_file_that_was_replaced_is_another_kernel()
    {
        KernelCache cache = new(CacheDirectory);
        SyntheticKernel one = new() { TextSize = 5000 }, two = new() { TextSize = 9000 };
        string file = Write("vmlinux", one.Elf());
        using (KernelImage kernel = cache.Open(file))
            KernelImageTests.AssertLoaded(one, kernel);
        Write("vmlinux", two.Elf());
        using (KernelImage kernel = cache.Open(file))
            KernelImageTests.AssertLoaded(two, kernel);
        Assert.Equal(2, Directory.GetFiles(CacheDirectory).Length);
    }

    [Fact]
    public void An_old_file_is_not_hashed_again()
    {
        string file = Write("vmlinux", new SyntheticKernel().Elf());
        // st_ctime cannot be set back: wait until the file is old enough to be believed.
        DateTime deadline = DateTime.UtcNow.AddSeconds(10);
        while (!Directory.Exists(Path.Combine(CacheDirectory, "by-identity")) || Directory.GetFileSystemEntries(Path.Combine(CacheDirectory, "by-identity")).Length == 0)
        {
            Assert.True(DateTime.UtcNow < deadline, "the file's identity was never recorded");
            new KernelCache(CacheDirectory).Open(file).Dispose();
            Thread.Yield();
        }
        // A link that leads to a kernel of other content shows which way the next look goes.
        string cached = Assert.Single(Directory.GetFiles(CacheDirectory));
        SyntheticKernel marked = new() { TextSize = 777 };
        File.WriteAllBytes(cached, marked.Elf());
        using KernelImage kernel = new KernelCache(CacheDirectory).Open(file);
        KernelImageTests.AssertLoaded(marked, kernel);
    }

    [Fact]
    public void A_refused_file_leaves_nothing_in_the_cache()
    {
        byte[] payload = SyntheticKernel.Pack(new SyntheticKernel { TextSize = 100_000 }.Elf(), "zstd");
        payload[payload.Length / 2] ^= 0x10;
        string file = Write("vmlinuz", SyntheticKernel.BzImage(payload));
        KernelImageException e = Assert.Throws<KernelImageException>(() => new KernelCache(CacheDirectory).Open(file));
        Assert.StartsWith($"cannot use the kernel {file}: ", e.Message);
        Assert.Empty(Directory.GetFiles(CacheDirectory));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(CacheDirectory, "by-identity")));
    }

    [Fact]
    public void Debians_kernel_unpacks()
    {
        string? file = Environment.GetEnvironmentVariable("HYPHA_TEST_VMLINUZ") ??
            (Directory.Exists("/boot") ? Directory.GetFiles("/boot", "vmlinuz-*").FirstOrDefault() : null);
        Assert.SkipWhen(file is null, "no kernel on this machine; HYPHA_TEST_VMLINUZ may name one");
        using KernelImage kernel = new KernelCache(CacheDirectory).Open(file);
        Assert.Null(kernel.Elf.Notes.WhyNotPv());
        Assert.Equal("linux", kernel.Elf.Notes.GuestOs);
        using KernelImage whole = KernelImage.Load(file);
        Assert.Equal(whole.Elf.Segments.Count, kernel.Elf.Segments.Count);
        for (int i = 0; i < whole.Elf.Segments.Count; i++)
        {
            byte[] packed = new byte[kernel.Elf.Segments[i].FileSize], plain = new byte[whole.Elf.Segments[i].FileSize];
            kernel.Read(kernel.Elf.Segments[i], 0, packed);
            whole.Read(whole.Elf.Segments[i], 0, plain);
            Assert.True(plain.AsSpan(0, packed.Length).SequenceEqual(packed));
            Assert.Equal(-1, plain.AsSpan(packed.Length).IndexOfAnyExcept((byte)0));
        }
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
