using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hypha.Containers.Network;
using Hypha.Linux;

namespace Hypha.Containers.Records;

/// <summary>What a network is: the content of <c>networks/NAME.json</c>.</summary>
/// <param name="Subnet">"10.76.0.0/24".</param>
/// <param name="Subnet6">"fd75:1::/64".</param>
public sealed record NetworkRecord(string Name, string Subnet, string Subnet6, bool Internal, DateTimeOffset Created)
{
    /// <exception cref="FormatException">A subnet is none.</exception>
    public GuestSubnet ToSubnet() => new(Name, IPNetwork.Parse(Subnet), IPNetwork.Parse(Subnet6), Internal);
}

/// <summary>Networks on disk, a file each. Unlike a container's record they outlive the machine's end, too.</summary>
public sealed class NetworkDirectory(string path)
{
    private const string Extension = ".json";

    public void Write(NetworkRecord record) =>
        Durable.WriteFile(PathOf(record.Name), JsonSerializer.SerializeToUtf8Bytes(record, NetworkRecordJson.Default.NetworkRecord));

    public void Remove(string name)
    {
        File.Delete(PathOf(name));
        Durable.FlushDirectory(path);
    }

    /// <param name="unreadable">Told of each file that is no network's.</param>
    public IReadOnlyList<NetworkRecord> ReadAll(Action<string, Exception> unreadable)
    {
        var records = new List<NetworkRecord>();
        foreach (string file in Directory.EnumerateFiles(path, "*" + Extension))
        {
            try
            {
                NetworkRecord record = JsonSerializer.Deserialize(File.ReadAllBytes(file), NetworkRecordJson.Default.NetworkRecord) ?? throw new FormatException("it is empty");
                if (record.Name != Path.GetFileName(file)[..^Extension.Length])
                    throw new FormatException($"it is of the network \"{record.Name}\"");
                record.ToSubnet();
                records.Add(record);
            }
            catch (Exception error) when (error is IOException or JsonException or FormatException or ArgumentNullException or UnauthorizedAccessException)
            {
                unreadable(file, error);
            }
        }
        return records;
    }

    private string PathOf(string name) => Path.Combine(path, name + Extension);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NetworkRecord))]
internal sealed partial class NetworkRecordJson : JsonSerializerContext;
