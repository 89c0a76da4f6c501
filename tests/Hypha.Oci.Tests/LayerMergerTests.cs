using CsCheck;
using Hypha.Oci.Layers;
using Hypha.Oci.Tar;
using Hypha.Oci.Tests.Kit;
using Hypha.Squashfs;

namespace Hypha.Oci.Tests;

/// <summary>Random stacks of layers against a model: a dictionary from paths to what is there.</summary>
public sealed class LayerMergerTests
{
    private enum Kind { Directory, File, Whiteout, Opaque }

    private readonly record struct Operation(Kind Kind, string Path);

    private static readonly Gen<string> s_path = Gen.Select(Gen.OneOf("a", "b", "c"), Gen.OneOf("", "/a", "/b"), Gen.OneOf("", "/x", "/a"))
        .Select((a, b, c) => a + b + (b.Length > 0 ? c : ""));

    private static readonly Gen<Operation> s_operation = Gen.Select(Gen.OneOf(Kind.Directory, Kind.File, Kind.File, Kind.Whiteout, Kind.Opaque), s_path)
        .Select((kind, path) => new Operation(kind, path));

    [Fact]
    public void Any_stack_of_layers_gives_what_the_rules_say()
    {
        s_operation.Array[0, 8].Array[1, 5].Sample(stack =>
        {
            var merger = new LayerMerger(ImageLimits.Default);
            var model = new Dictionary<string, string>(StringComparer.Ordinal); // path to "d" or the file's mark
            for (int i = 0; i < stack.Length; i++)
            {
                Operation[] layer = WellFormed(stack[i]);
                using var applied = new Layer($"layer {i + 1}", new Spool(Path.GetTempPath()), [.. layer.Select((o, n) => Entry(o, i, n))]);
                merger.Apply(applied);
                Model(model, layer, i);
            }
            Assert.Equal(model.Select(m => $"{m.Key}={m.Value}").Order(StringComparer.Ordinal), Tree(merger.Tree.Root, "").Order(StringComparer.Ordinal));
        }, iter: 3000);
    }

    // One layer brings a path once, and nothing below a file: as an archive of a real tree does.
    private static Operation[] WellFormed(Operation[] layer)
    {
        var seen = new HashSet<string>();
        var files = layer.Where(o => o.Kind == Kind.File).Select(o => o.Path).ToHashSet();
        return [.. layer.Where(o => !files.Any(f => o.Path.StartsWith(f + "/", StringComparison.Ordinal) || (o.Path == f && o.Kind is not (Kind.File or Kind.Whiteout))))
            .Where(o => seen.Add($"{(o.Kind is Kind.File or Kind.Directory ? "entry" : o.Kind)} {o.Path}"))];
    }

    // The rules in their plainest form: whiteouts first, on what lies below; then the layer's own.
    private static void Model(Dictionary<string, string> model, Operation[] layer, int number)
    {
        foreach (Operation o in layer.Where(o => o.Kind is Kind.Whiteout or Kind.Opaque))
        {
            foreach (string hidden in model.Keys.Where(k => (o.Kind == Kind.Whiteout && k == o.Path) || k.StartsWith(o.Path + "/", StringComparison.Ordinal)).ToArray())
                model.Remove(hidden);
        }
        for (int n = 0; n < layer.Length; n++)
        {
            if (layer[n].Kind is not (Kind.File or Kind.Directory))
                continue;
            string path = layer[n].Path;
            for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
                model[path[..slash]] = "d";
            if (layer[n].Kind == Kind.File)
            {
                foreach (string hidden in model.Keys.Where(k => k.StartsWith(path + "/", StringComparison.Ordinal)).ToArray())
                    model.Remove(hidden);
            }
            model[path] = layer[n].Kind == Kind.Directory ? "d" : $"{number}.{n}";
        }
    }

    private static LayerEntry Entry(Operation operation, int layer, int number)
    {
        int slash = operation.Path.LastIndexOf('/') + 1;
        string path = operation.Kind switch
        {
            Kind.Whiteout => operation.Path[..slash] + ".wh." + operation.Path[slash..],
            Kind.Opaque => operation.Path + "/.wh..wh..opq",
            _ => operation.Path,
        };
        bool isDirectory = operation.Kind == Kind.Directory;
        return new LayerEntry(
            new TarEntry { Path = System.Text.Encoding.UTF8.GetBytes(path), Kind = isDirectory ? TarEntryKind.Directory : TarEntryKind.File, Uid = (uint)layer, Gid = (uint)number },
            isDirectory ? null : FileContent.Empty);
    }

    private static IEnumerable<string> Tree(DirectoryInode directory, string prefix)
    {
        foreach ((FileName name, DirectoryEntry entry) in directory.Entries)
        {
            string path = prefix + name;
            yield return entry.Inode is DirectoryInode ? $"{path}=d" : $"{path}={entry.Inode.Uid}.{entry.Inode.Gid}";
            if (entry.Inode is DirectoryInode child)
            {
                foreach (string below in Tree(child, path + "/"))
                    yield return below;
            }
        }
    }
}
