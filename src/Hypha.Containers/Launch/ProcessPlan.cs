using Hypha.Oci;
using Hypha.Protocol.Guest;

namespace Hypha.Containers.Launch;

/// <summary>Joins what the image says and what the user asks for, by docker's rules, into the process that the guest starts.</summary>
public static class ProcessPlan
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <exception cref="ContainerException">InvalidArgument when neither names a command.</exception>
    public static Process Make(ImageConfig image, LaunchOptions options, string hostname)
    {
        var process = new Process
        {
            Cwd = options.WorkingDirectory.Length > 0 ? options.WorkingDirectory : image.WorkingDir ?? "",
            User = options.User.Length > 0 ? options.User : image.User ?? "",
            Terminal = options.Terminal,
            OpenStdin = options.Interactive,
            Columns = (uint)Math.Clamp(options.Columns, 0, ushort.MaxValue),
            Rows = (uint)Math.Clamp(options.Rows, 0, ushort.MaxValue),
        };
        process.Args.AddRange(Arguments(image, options));
        process.Env.AddRange(Environment(image, options, hostname));
        return process;
    }

    /// <summary>docker: an --entrypoint replaces the image's and drops its command; a command replaces the image's command.</summary>
    private static IReadOnlyList<string> Arguments(ImageConfig image, LaunchOptions options)
    {
        IEnumerable<string> entrypoint = options.Entrypoint switch
        {
            null => image.Entrypoint ?? [],
            "" => [],
            var given => [given],
        };
        IEnumerable<string> command = options.Command.Count > 0 ? options.Command
            : options.Entrypoint is null ? image.Cmd ?? []
            : [];
        string[] arguments = [.. entrypoint, .. command];
        return arguments.Length > 0 ? arguments
            : throw new ContainerException(ContainerError.InvalidArgument,
                $"the image {options.Image} names no command, and none was given. Add one after the image's name.");
    }

    /// <summary>docker's order: defaults, then the image's, then the user's; the last of a name wins, in the first's place.</summary>
    private static IEnumerable<string> Environment(ImageConfig image, LaunchOptions options, string hostname)
    {
        List<string> defaults = [$"PATH={DefaultPath}", $"HOSTNAME={hostname}"];
        if (options.Terminal)
            defaults.Add($"TERM={(options.Term.Length > 0 ? options.Term : "xterm")}");

        var order = new List<string>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string variable in defaults.Concat(image.Env ?? []).Concat(options.Environment))
        {
            int equals = variable.IndexOf('=');
            if (equals <= 0)
                continue; // an image's malformed entry
            string name = variable[..equals];
            if (!values.ContainsKey(name))
                order.Add(name);
            values[name] = variable;
        }
        return order.Select(name => values[name]);
    }
}
