namespace Hypha.Oci.Tests.Kit;

/// <summary>What a directory holds, one line a node, so that two can be compared.</summary>
internal static class Extracted
{
    /// <summary>Type, permissions, owners, links, time, size, device, target, content, extended attributes of everything below.</summary>
    /// <param name="root">A directory, extracted by root.</param>
    /// <param name="times">False leaves out the times of directories: who makes implied ones takes the time of the day.</param>
    public static string[] List(string root, bool times)
    {
        // Newlines in names become \001, so that a line is a node.
        string nodes = Tool.Run("sh", "-c", """cd "$1" && find . -printf '%y %#m %U/%G %n %T@ %s %p -> %l\0' | sort -z -k7 | tr '\n\0' '\001\n'""", "list", root);
        string contents = Tool.Run("sh", "-c", """cd "$1" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum -z | tr '\0' '\n'""", "sum", root);
        string devices = Tool.Run("sh", "-c", """cd "$1" && find . \( -type c -o -type b \) -print0 | sort -z | xargs -0 -r stat -c '%n %F %t:%T'""", "devices", root);
        string xattrs = Tool.Run("sh", "-c", """cd "$1" && find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex | grep -v '^$' || true""", "xattrs", root);
        var lines = new List<string>();
        foreach (string node in nodes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] f = node.Split(' ', 7);
            bool isDirectory = f[0] == "d", isFile = f[0] == "f";
            lines.Add($"{f[0]} {f[1]} {f[2]} {(isDirectory ? "-" : f[3])} {(isDirectory && !times ? "-" : f[4].Split('.')[0])} {(isFile ? f[5] : "-")} {f[6]}");
        }
        return [.. lines, .. contents.Split('\n'), .. devices.Split('\n'), .. xattrs.Split('\n')];
    }
}
