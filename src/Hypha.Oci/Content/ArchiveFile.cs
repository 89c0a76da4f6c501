using System.Text;
using Hypha.Oci.Compression;
using Hypha.Oci.Layers;
using Hypha.Oci.Tar;
using Hypha.Squashfs;

namespace Hypha.Oci.Content;

/// <summary>A tar on disk whose members are read in place, by their names.</summary>
internal sealed class ArchiveFile : IDisposable
{
    private const int MaxMembers = 100_000;

    private readonly FileStream _file;
    private readonly Dictionary<string, (long Offset, long Length)> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    internal ArchiveFile(string path, string name, ImageLimits limits)
    {
        Path = path;
        _file = RegularFile.Open(path, name);
        try
        {
            var tar = new TarReader(new BufferedStream(new Window(_file, 0, _file.Length), 128 << 10), limits);
            while (tar.Next() is { } entry)
            {
                if (_members.Count + _links.Count >= MaxMembers)
                    throw new ImageException($"{name} has more than {MaxMembers} members");
                List<FileName> parts = LayerPath.Parse(entry.Path, limits.Depth);
                string member = Join(parts);
                if (entry is { Kind: TarEntryKind.File, Sparse: null })
                    _members[member] = (tar.Position, entry.Length);
                else if (entry.Kind is TarEntryKind.Symlink or TarEntryKind.HardLink)
                {
                    // docker save writes a layer once and links to it where it comes again.
                    string start = entry.Kind == TarEntryKind.Symlink ? Join(parts[..^1]) + "/" : "";
                    _links[member] = Join(LayerPath.Parse(Encoding.UTF8.GetBytes(start + Encoding.UTF8.GetString(entry.LinkTarget)), limits.Depth));
                }
            }
        }
        catch (TarFormatException e)
        {
            _file.Dispose();
            throw new ImageException($"{name} cannot be read as a tar archive: {e.Message} (a compressed one must be decompressed first)", e);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    internal string Path { get; }

    internal Stream Open(string member, string what) => Find(member) is { } found
        ? new Window(_file, found.Offset, found.Length)
        : throw new ImageException($"{what}: {Printable.Quote(Path)} has no member {Printable.Quote(member)}");

    internal long? LengthOf(string member) => Find(member)?.Length;

    public void Dispose() => _file.Dispose();

    private (long Offset, long Length)? Find(string member)
    {
        if (_links.TryGetValue(member, out string? target))
            member = target; // one step: links to links are not written by anybody
        return _members.TryGetValue(member, out (long, long) found) ? found : null;
    }

    private static string Join(List<FileName> parts) => string.Join('/', parts);

    /// <summary>Part of the file; several are read at once, so the file's own position is not used.</summary>
    private sealed class Window(FileStream file, long offset, long length) : ReadOnlyStream
    {
        private long _offset = offset;
        private long _left = length;

        public override int Read(Span<byte> buffer)
        {
            int read = RandomAccess.Read(file.SafeFileHandle, buffer[..(int)Math.Min(buffer.Length, _left)], _offset);
            _offset += read;
            _left -= read;
            return read;
        }
    }
}
