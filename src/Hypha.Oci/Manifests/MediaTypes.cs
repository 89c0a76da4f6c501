namespace Hypha.Oci.Manifests;

/// <summary>OCI image-spec, media-types.md, and Docker's equivalents named there.</summary>
internal static class MediaTypes
{
    internal const string OciIndex = "application/vnd.oci.image.index.v1+json";
    internal const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    internal const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    internal const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    private const string OciConfig = "application/vnd.oci.image.config.v1+json";
    private const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    internal static bool IsIndex(string type) => type is OciIndex or DockerList;
    internal static bool IsManifest(string type) => type is OciManifest or DockerManifest;
    internal static bool IsConfig(string type) => type is OciConfig or DockerConfig;

    /// <summary>Compression is found by the layer's first bytes; the type says only that it is a layer.</summary>
    internal static bool IsLayer(string type) => type is
        "application/vnd.oci.image.layer.v1.tar" or
        "application/vnd.oci.image.layer.v1.tar+gzip" or
        "application/vnd.oci.image.layer.v1.tar+zstd" or
        "application/vnd.oci.image.layer.nondistributable.v1.tar" or
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" or
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" or
        "application/vnd.docker.image.rootfs.diff.tar" or
        "application/vnd.docker.image.rootfs.diff.tar.gzip" or
        "application/vnd.docker.image.rootfs.diff.tar.zstd" or
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
}
