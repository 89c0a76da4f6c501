using System.Text.Json;

namespace Hypha.Containers.Records;

/// <summary>A container's folder on the host. The record is replaced as a whole, so a reader sees the old one or the new one.</summary>
public sealed class ContainerDirectory(string root, ContainerId id)
{
    public string Path { get; } = System.IO.Path.Combine(root, id.ToString());

    public string RecordPath => System.IO.Path.Combine(Path, "container.json");
    public string BundlePath => System.IO.Path.Combine(Path, "bundle.img");
    public string ConsoleLogPath => System.IO.Path.Combine(Path, "console.log");
    public string OutputLogPath => System.IO.Path.Combine(Path, "output.log");

    public void Create()
    {
        // Environment and bundle may hold secrets: the owner's alone.
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Write(ContainerRecord record)
    {
        string temporary = RecordPath + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            // Not flushed to the disk: it is to outlive this process, not the machine, whose end is the end of its guests, too.
            JsonSerializer.Serialize(file, record, RecordJson.Default.ContainerRecord);
        }
        File.Move(temporary, RecordPath, overwrite: true);
    }

    /// <returns>Null when there is no readable record: a launch that died before its first write, or a foreign folder.</returns>
    public ContainerRecord? TryRead()
    {
        try
        {
            using var file = File.OpenRead(RecordPath);
            var record = JsonSerializer.Deserialize(file, RecordJson.Default.ContainerRecord);
            return record?.Id == id ? record : null;
        }
        catch (Exception error) when (error is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Remove()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }

    /// <summary>The ids that have a folder under <paramref name="root"/>.</summary>
    public static IEnumerable<ContainerId> List(string root)
    {
        if (!Directory.Exists(root))
            yield break;
        foreach (string path in Directory.EnumerateDirectories(root))
        {
            if (ContainerId.TryParse(System.IO.Path.GetFileName(path), out var id))
                yield return id;
        }
    }
}
