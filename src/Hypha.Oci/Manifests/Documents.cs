using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypha.Oci.Manifests;

// The documents as they come, every field optional: what a stranger sent is checked where it becomes a Manifest, an Index or an
// ImageConfig. OCI image-spec (descriptor.md, manifest.md, image-index.md, config.md), Docker image manifest version 2, schema 2.

internal sealed class DescriptorDocument
{
    public string? MediaType { get; set; }
    public string? Digest { get; set; }
    public long? Size { get; set; }
    public PlatformDocument? Platform { get; set; }
    public Dictionary<string, string>? Annotations { get; set; }
}

internal sealed class PlatformDocument
{
    public string? Architecture { get; set; }
    public string? Os { get; set; }
    public string? Variant { get; set; }
}

/// <summary>Manifest or index: the fields of both, so that a document that claims to be both is seen (CVE-2021-41190).</summary>
internal sealed class ManifestDocument
{
    public int? SchemaVersion { get; set; }
    public string? MediaType { get; set; }
    public string? ArtifactType { get; set; }
    public DescriptorDocument? Config { get; set; }
    public List<DescriptorDocument>? Layers { get; set; }
    public List<DescriptorDocument>? Manifests { get; set; }
    public JsonElement? FsLayers { get; set; } // Docker schema 1
}

internal sealed class ConfigDocument
{
    public string? Architecture { get; set; }
    public string? Os { get; set; }
    public RootFsDocument? Rootfs { get; set; }
    public RunDocument? Config { get; set; }
}

internal sealed class RootFsDocument
{
    public string? Type { get; set; }

    [JsonPropertyName("diff_ids")]
    public List<string>? DiffIds { get; set; }
}

internal sealed class RunDocument
{
    [JsonPropertyName("User")] public string? User { get; set; }
    [JsonPropertyName("Env")] public List<string>? Env { get; set; }
    [JsonPropertyName("Entrypoint")] public List<string>? Entrypoint { get; set; }
    [JsonPropertyName("Cmd")] public List<string>? Cmd { get; set; }
    [JsonPropertyName("WorkingDir")] public string? WorkingDir { get; set; }
    [JsonPropertyName("StopSignal")] public string? StopSignal { get; set; }
    [JsonPropertyName("ExposedPorts")] public Dictionary<string, JsonElement>? ExposedPorts { get; set; }
    [JsonPropertyName("Volumes")] public Dictionary<string, JsonElement>? Volumes { get; set; }
    [JsonPropertyName("Labels")] public Dictionary<string, string>? Labels { get; set; }
}

/// <summary>One image of a docker archive's manifest.json.</summary>
internal sealed class ArchivedImageDocument
{
    [JsonPropertyName("Config")] public string? Config { get; set; }
    [JsonPropertyName("RepoTags")] public List<string>? RepoTags { get; set; }
    [JsonPropertyName("Layers")] public List<string>? Layers { get; set; }
}

/// <summary>A registry's answer to a request for a bearer token (distribution's token specification).</summary>
internal sealed class TokenDocument
{
    [JsonPropertyName("token")] public string? Token { get; set; }
    [JsonPropertyName("access_token")] public string? AccessToken { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 32, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ManifestDocument))]
[JsonSerializable(typeof(ConfigDocument))]
[JsonSerializable(typeof(List<ArchivedImageDocument>))]
[JsonSerializable(typeof(TokenDocument))]
internal sealed partial class DocumentContext : JsonSerializerContext;
