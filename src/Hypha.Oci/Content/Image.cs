using Hypha.Oci.Layers;

namespace Hypha.Oci.Content;

/// <summary>An image whose documents are read and checked and whose layers are not yet.</summary>
/// <param name="Digest">Of its manifest; of its configuration where there is none (docker's archives).</param>
internal sealed record Image(Sha256Digest Digest, ImageConfig Config, IReadOnlyList<LayerSource> Layers);
