using System.Text.Json;
using Hypha.Linux;

namespace Hypha.Oci.Store;

/// <summary>
/// references.json: which image a name led to when it was last pulled. Names with tag, and names pinned to the digest that the
/// registry gave (an index's, often, which is not the image's own). Replaced as a whole, so that a crash leaves the old one.
/// </summary>
internal sealed class ReferenceFile(string directory)
{
    private readonly string _path = Path.Combine(directory, "references.json");
    private readonly Lock _lock = new();
    private Dictionary<string, string>? _references;

    internal Sha256Digest? Find(ImageReference reference)
    {
        lock (_lock)
            return Sha256Digest.TryParse(Load().GetValueOrDefault(reference.ToString()), out Sha256Digest digest) ? digest : null;
    }

    internal IReadOnlyList<string> NamesOf(Sha256Digest digest)
    {
        string text = digest.ToString();
        lock (_lock)
            return [.. Load().Where(r => r.Value == text).Select(r => r.Key).Order(StringComparer.Ordinal)];
    }

    internal void Set(Sha256Digest image, params ReadOnlySpan<ImageReference> references)
    {
        lock (_lock)
        {
            Dictionary<string, string> next = new(Load());
            bool changed = false;
            foreach (ImageReference reference in references)
            {
                string name = reference.ToString();
                changed |= next.GetValueOrDefault(name) != image.ToString();
                next[name] = image.ToString();
            }
            if (!changed)
                return;
            Durable.WriteFile(_path, JsonSerializer.SerializeToUtf8Bytes(next, StoreContext.Default.DictionaryStringString));
            _references = next;
        }
    }

    private Dictionary<string, string> Load()
    {
        if (_references is not null)
            return _references;
        try
        {
            _references = File.Exists(_path) ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), StoreContext.Default.DictionaryStringString) : null;
        }
        catch (JsonException)
        {
            // Names can be asked for again; the images themselves are found by digest.
        }
        return _references ??= [];
    }
}
