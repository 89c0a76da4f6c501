using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypha.Oci.Store;

/// <summary>image.json beside a squashfs.</summary>
internal sealed class StoredImageDocument
{
    public required string Digest { get; init; }
    public required long Size { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required ImageConfig Config { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StoredImageDocument))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class StoreContext : JsonSerializerContext;
