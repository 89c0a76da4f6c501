using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hypha.Oci.Manifests;

/// <summary>JSON of a stranger to a document: no duplicate keys, 32 levels at most.</summary>
internal static class DocumentParser
{
    internal static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string what) where T : class
    {
        try
        {
            // A byte order mark is not JSON (RFC 8259 8.1) and is not sent by any registry.
            return JsonSerializer.Deserialize(json, type) ?? throw new ImageException($"{what} is empty");
        }
        catch (JsonException e)
        {
            string where = e.Path is { Length: > 0 and <= 100 } path ? $" at {Printable.Quote(path)}" : "";
            throw new ImageException($"{what} is not the JSON that it should be{where}", e);
        }
        catch (InvalidOperationException e) // text that is no UTF-8
        {
            throw new ImageException($"{what} is not the JSON that it should be", e);
        }
    }
}
