using Hypha.Oci.Tar;
using Hypha.Squashfs;

namespace Hypha.Oci.Layers;

/// <param name="Header">Name and attributes.</param>
/// <param name="Content">Of regular files.</param>
internal readonly record struct LayerEntry(TarEntry Header, FileContent? Content);

/// <summary>A layer that was read and verified: its entries in the archive's order, their contents spooled.</summary>
internal sealed class Layer(string name, Spool spool, List<LayerEntry> entries) : IDisposable
{
    /// <summary>"layer 3 of 5".</summary>
    internal string Name => name;

    internal List<LayerEntry> Entries => entries;

    public void Dispose() => spool.Dispose();
}
