using Hypha.Oci.Tar;
using Hypha.Squashfs;

namespace Hypha.Oci.Layers;

/// <summary>
/// A path in an image, cut into names: absolute ones are taken as relative to the image's root, "." and empty parts dropped, ".."
/// resolved by the text alone, as containerd and umoci clean their names. What would leave the root is refused.
/// </summary>
internal static class LayerPath
{
    internal static List<FileName> Parse(ReadOnlySpan<byte> path, int maxDepth)
    {
        var names = new List<FileName>();
        foreach (Range range in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> part = path[range];
            if (part.IsEmpty || part.SequenceEqual("."u8))
                continue;
            if (part.SequenceEqual(".."u8))
            {
                if (names.Count == 0)
                    throw new TarFormatException("the path leaves the image's root");
                names.RemoveAt(names.Count - 1);
                continue;
            }
            if (!FileName.TryCreate(part, out FileName name))
                throw new TarFormatException($"a name in the path is longer than {FileName.MaxLength} bytes");
            if (names.Count >= maxDepth)
                throw new TarFormatException($"the path is deeper than {maxDepth} levels");
            names.Add(name);
        }
        return names;
    }
}
