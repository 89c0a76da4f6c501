using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Hypha.Ctl.Display;

/// <summary>JSON on standard output. The views below are a contract with scripts: members are added, never renamed.</summary>
internal static class Json
{
    public static void Print<T>(T value, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream();
        // For programs and people, not for HTML: "+" and "é" stay as they are.
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(buffer, options))
            JsonSerializer.Serialize(writer, value, type);
        StandardText.Out.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerView[]))]
[JsonSerializable(typeof(ImageView[]))]
[JsonSerializable(typeof(NetworkGuestView[]))]
[JsonSerializable(typeof(FlowView[]))]
[JsonSerializable(typeof(NetworkView))]
[JsonSerializable(typeof(NetworkView[]))]
[JsonSerializable(typeof(HostView))]
[JsonSerializable(typeof(CheckView[]))]
[JsonSerializable(typeof(VersionView))]
internal sealed partial class JsonViews : JsonSerializerContext;
