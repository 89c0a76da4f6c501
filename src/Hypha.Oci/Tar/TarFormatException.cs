namespace Hypha.Oci.Tar;

/// <summary>An archive is not what its format allows, or asks for more than a limit. The reader of the layer adds where.</summary>
internal sealed class TarFormatException(string reason, byte[]? entry = null) : Exception(reason)
{
    /// <summary>Path of the entry, when it is known.</summary>
    internal byte[]? Entry { get; } = entry;
}
