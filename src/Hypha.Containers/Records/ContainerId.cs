using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypha.Containers.Records;

/// <summary>A container's UUID, which is its domain's handle, too.</summary>
[JsonConverter(typeof(ContainerIdConverter))]
public readonly record struct ContainerId(Guid Value)
{
    public static ContainerId New() => new(Guid.NewGuid());

    public static bool TryParse(string? text, out ContainerId id)
    {
        bool ok = Guid.TryParseExact(text, "D", out var value);
        id = new ContainerId(value);
        return ok;
    }

    /// <summary>The first 12 digits, the default hostname.</summary>
    public string Short => Value.ToString("N")[..12];

    public override string ToString() => Value.ToString("D");
}

/// <summary>The UUID as a string.</summary>
public sealed class ContainerIdConverter : JsonConverter<ContainerId>
{
    public override ContainerId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ContainerId.TryParse(reader.GetString(), out var id) ? id : throw new JsonException("not a UUID");

    public override void Write(Utf8JsonWriter writer, ContainerId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
