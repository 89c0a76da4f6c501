namespace Hypha.Linux.Tests;

public sealed class MemoryMappingTests
{
    // By name, not address: another thread may get an address that was just given back.
    private static bool IsMapped(string path) => File.ReadLines("/proc/self/maps").Any(line => line.EndsWith(path, StringComparison.Ordinal));

    private static void WithFile(Action<string, FileDescriptor> act)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, new byte[8192]);
            using FileDescriptor file = FileDescriptor.Open(path, OpenFlags.ReadWrite);
            act(path, file);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Memory_of_a_file_is_shared_with_it_until_it_is_disposed() => WithFile((path, file) =>
    {
        MemoryMapping memory = MemoryMapping.Shared(file, 4096, 4096, MemoryAccess.ReadWrite, "mapping a file");
        memory.Span[5] = 42;
        Assert.Equal(42, File.ReadAllBytes(path)[4096 + 5]);
        Assert.True(IsMapped(path));
        memory.Dispose();
        Assert.False(IsMapped(path));
        Assert.Throws<ObjectDisposedException>(() => memory.Address);
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
    });

    [Fact]
    public void Memory_in_use_stays_mapped_though_it_is_disposed_meanwhile() => WithFile((path, file) =>
    {
        MemoryMapping memory = MemoryMapping.Shared(file, 0, 4096, MemoryAccess.Read, "mapping a file");
        bool added = false;
        memory.DangerousAddRef(ref added);
        memory.Dispose();
        Assert.True(IsMapped(path));
        memory.DangerousRelease();
        Assert.False(IsMapped(path));
    });

    [Fact]
    public void A_mapping_that_is_refused_says_of_what()
    {
        using FileDescriptor file = FileDescriptor.Open("/dev/null", OpenFlags.ReadOnly);
        var error = Assert.Throws<LinuxException>(() => MemoryMapping.Shared(file, 1, 4096, MemoryAccess.Read, "mapping 1 page of /dev/null"));
        Assert.Equal("mapping 1 page of /dev/null: invalid argument (EINVAL)", error.Message);
    }
}
