namespace Hypha.Oci.Manifests;

/// <summary>One image for one platform (OCI image-spec, manifest.md; Docker schema 2).</summary>
internal sealed record Manifest(Descriptor Config, IReadOnlyList<Descriptor> Layers)
{
    internal static Manifest Read(ManifestDocument document, ImageLimits limits, string what)
    {
        Descriptor config = Descriptor.Read(document.Config, $"the configuration of {what}");
        if (!MediaTypes.IsConfig(config.MediaType))
            throw new ImageException($"{what} is no container image: its configuration is of type {Printable.Quote(config.MediaType)}");
        if (document.Layers is not { Count: > 0 } layers)
            throw new ImageException($"{what} has no layers, so there is nothing to run");
        if (layers.Count > limits.Layers)
            throw new ImageException($"{what} has {layers.Count} layers; the limit is {limits.Layers}");
        var read = new List<Descriptor>(layers.Count);
        foreach (DescriptorDocument? layer in layers)
        {
            string name = $"layer {read.Count + 1} of {layers.Count} of {what}";
            Descriptor descriptor = Descriptor.Read(layer, name);
            if (!MediaTypes.IsLayer(descriptor.MediaType))
                throw new ImageException($"{name} is of type {Printable.Quote(descriptor.MediaType)}, which is no layer of a container image");
            read.Add(descriptor);
        }
        return new Manifest(config, read);
    }
}
