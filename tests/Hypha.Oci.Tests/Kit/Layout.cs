using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Hypha.Oci.Tests.Kit;

/// <summary>An OCI layout on disk with one image, tag "t", made of archives.</summary>
internal sealed class Layout
{
    public Layout(string directory) => Path = directory;

    public string Path { get; }

    /// <summary>Writes the image. <paramref name="change"/> may alter manifest and configuration before they get their digests.</summary>
    public static Layout Create(string directory, IEnumerable<byte[]> archives, Packing packing = Packing.Gzip, Action<JsonObject, JsonObject>? change = null)
    {
        var layout = new Layout(directory);
        Directory.CreateDirectory(System.IO.Path.Combine(directory, "blobs/sha256"));
        var layers = new JsonArray();
        var diffIds = new JsonArray();
        foreach (byte[] archive in archives)
        {
            diffIds.Add(Sha256Digest.Of(archive).ToString());
            byte[] blob = Compress(archive, packing);
            string suffix = packing switch { Packing.Gzip => "+gzip", Packing.Zstd => "+zstd", _ => "" };
            layers.Add(layout.Blob(blob, "application/vnd.oci.image.layer.v1.tar" + suffix));
        }
        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffIds },
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/sh"), ["Env"] = new JsonArray("A=b"), ["User"] = "7:8" },
        };
        var manifest = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = "application/vnd.oci.image.manifest.v1+json", ["layers"] = layers };
        change?.Invoke(manifest, config);
        if (!manifest.ContainsKey("config"))
            manifest["config"] = layout.Blob(Encoding.UTF8.GetBytes(config.ToJsonString()), "application/vnd.oci.image.config.v1+json");
        layout.Index(layout.Blob(Encoding.UTF8.GetBytes(manifest.ToJsonString()), "application/vnd.oci.image.manifest.v1+json"));
        return layout;
    }

    public void Index(params JsonObject[] manifests)
    {
        foreach (JsonObject manifest in manifests)
            manifest["annotations"] ??= new JsonObject { ["org.opencontainers.image.ref.name"] = "t" };
        var index = new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray([.. manifests]) };
        File.WriteAllText(System.IO.Path.Combine(Path, "index.json"), index.ToJsonString());
        File.WriteAllText(System.IO.Path.Combine(Path, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    public JsonObject Blob(byte[] content, string mediaType)
    {
        Sha256Digest digest = Sha256Digest.Of(content);
        File.WriteAllBytes(BlobPath(digest), content);
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = content.Length };
    }

    public string BlobPath(Sha256Digest digest) => System.IO.Path.Combine(Path, "blobs/sha256", digest.Hex);

    public static byte[] Compress(byte[] archive, Packing packing)
    {
        switch (packing)
        {
            case Packing.Gzip:
                {
                    // Two members, as parallel compressors write them.
                    var output = new MemoryStream();
                    foreach (Range part in new[] { ..(archive.Length / 2), (archive.Length / 2).. })
                    {
                        using var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
                        gzip.Write(archive.AsSpan()[part]);
                    }
                    return output.ToArray();
                }
            case Packing.Zstd:
                return Tool.Run("zstd", archive, "-q", "-c");
            default:
                return archive;
        }
    }
}

internal enum Packing { None, Gzip, Zstd }
