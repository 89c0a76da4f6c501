namespace Hypha.Oci.Tests.Kit;

/// <summary>A test with a directory of its own, packing images in it.</summary>
public abstract class ImageTest : IDisposable
{
    protected string Scratch { get; } = Directory.CreateTempSubdirectory("hypha-oci-").FullName;

    public void Dispose()
    {
        // By rm, for a name that is no text cannot be deleted through .NET's strings.
        Tool.Run("rm", "-rf", Scratch);
        GC.SuppressFinalize(this);
    }

    private protected string At(string name) => Path.Combine(Scratch, name);

    private protected Layout Image(params byte[][] archives) => Layout.Create(At("layout"), archives);

    private protected async Task<PackedImage> PackAsync(string source, string output = "out.squashfs", PackOptions? options = null)
    {
        Directory.CreateDirectory(At("target"));
        return await ImagePacker.PackAsync(ImageSource.Parse(source), Path.Combine(At("target"), output), options ?? PackOptions.Default, null, CancellationToken.None);
    }

    private protected string Target(string output = "out.squashfs") => Path.Combine(At("target"), output);

    /// <summary>Packs and lists what is in the squashfs: one line a node, sorted, "type mode uid/gid size-or-device path[ -> target]".</summary>
    private protected async Task<string[]> PackedNamesAsync(string source)
    {
        await PackAsync(source);
        return [.. Tool.Run("unsquashfs", "-l", "-d", "", Target()).Split('\n').Where(l => l.StartsWith('/')).Order(StringComparer.Ordinal)];
    }

    private protected async Task<string> RefusedAsync(string source, PackOptions? options = null)
    {
        ImageException refusal = await Assert.ThrowsAsync<ImageException>(() => PackAsync(source, options: options));
        Assert.Empty(Directory.EnumerateFileSystemEntries(At("target")));
        Assert.DoesNotContain(refusal.Message, char.IsControl);
        return refusal.Message;
    }
}
