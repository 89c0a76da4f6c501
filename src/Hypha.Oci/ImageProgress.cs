namespace Hypha.Oci;

/// <summary>How far a pull or pack is. Reported a few times a second, and once when a step ends.</summary>
/// <param name="Step">What is being done.</param>
/// <param name="Detail">On what: a reference, "5 layers", "squashfs".</param>
/// <param name="Done">Bytes so far, over all layers; 0 where bytes say nothing.</param>
/// <param name="Total">Bytes in all; 0 when unknown.</param>
public readonly record struct ImageProgress(ImageStep Step, string Detail, long Done, long Total);

/// <summary>The steps in the order in which they begin. Layers are read (downloaded, verified, decompressed) before packing.</summary>
public enum ImageStep
{
    Resolving,
    ReadingLayers,
    Packing,
    Done,
}
