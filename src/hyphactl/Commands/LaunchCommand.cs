using System.CommandLine;
using System.CommandLine.Parsing;
using Hypha.Ctl.CommandLine;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl launch</c>: its command line. <see cref="Launching"/> carries it out.</summary>
internal static class LaunchCommand
{
    public static Command Build()
    {
        var kernel = Text("--kernel", "-k", "FILE", "the guest's kernel (default /var/lib/hypha/default/kernel)");
        var initrd = Text("--initrd", "-r", "FILE", "the guest's initrd (default /var/lib/hypha/default/initrd)");
        var cpus = new Option<uint>("--cpus", "-c") { Description = "virtual CPUs (default 1)", HelpName = "CPUS" };
        var memory = new Option<ulong>("--memory", "-m")
        {
            Description = "memory, in MiB or with a suffix: 512, 512M, 2G (default 512)",
            HelpName = "MIB",
            CustomParser = ParseMemory,
        };
        var env = Texts("--env", "-e", "K=V", "an environment variable; K alone takes its value from yours");
        var envFile = Texts("--env-file", null, "FILE", "a file of K=V lines");
        var name = Text("--name", null, "N", "a name for the container");
        var hostname = Text("--hostname", null, "H", "the guest's host name (default the first 12 digits of the UUID)");
        var workdir = Text("--workdir", "-w", "DIR", "working directory (default the image's)");
        var user = Text("--user", "-u", "USER[:GROUP]", "user, by name or number (default the image's)");
        var entrypoint = Text("--entrypoint", null, "E", "instead of the image's entrypoint; \"\" clears it");
        var network = Text("--network", null, "NAME", "the network to join (default \"default\"), or none");
        network.CompletionSources.Add(context => NetworkArgument.Names(context).Append("none"));
        var ip = Text("--ip", null, "A", "an IPv4 address on it (default the first that is free)");
        var ip6 = Text("--ip6", null, "A", "an IPv6 address on it");
        var mac = Text("--mac", null, "MAC", "the interface's MAC");
        var publish = Texts("--publish", "-p", "[IP:]HOST:GUEST[/udp]", "lead a port of the host to one of the container's, or a range to a range");
        var dns = Texts("--dns", null, "A", "a name server for the gateway to ask in place of the host's");
        var policy = new Option<FileInfo>("--policy") { Description = "a file of rules: what the container may reach", HelpName = "FILE" };
        policy.AcceptExistingOnly();
        var addHost = Texts("--add-host", null, "NAME:A", "a line for the container's /etc/hosts");
        var interactive = Flag("--interactive", "-i", "keep standard input open");
        var terminal = Flag("--tty", "-t", "give the container a terminal");
        var attach = Flag("--attach", null, "connect your terminal or streams to it, and exit with its status");
        var remove = Flag("--rm", null, "remove the container's record once it has ended");
        var insecure = Flag("--insecure", null, "take the image over HTTP, or from a registry with an unknown certificate");
        var quiet = Flag("--quiet", "-q", "no progress");
        var timing = Flag("--timing", null, "print where the time went, on standard error");
        var append = Text("--append", null, "ARGS", "words to add to the guest kernel's command line");
        // One argument: what follows the image is the container's, options included.
        var words = new Argument<string[]>("IMAGE")
        {
            Description = "the image, and what to run in place of its command",
            Arity = ArgumentArity.OneOrMore,
            CaptureRemainingTokens = true,
        };
        // The parser takes an option that it does not know for the first word. No image begins with a dash.
        words.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: ['-', ..] unknown }, ..])
                result.AddError($"there is no option \"{unknown}\"");
        });

        var command = new Command("launch", "Runs an image in a new guest. Prints the container's UUID, or with --attach becomes its terminal.")
        {
            attach, interactive, terminal, name, memory, cpus, env, envFile, workdir, user, entrypoint, hostname, remove,
            network, publish, ip, ip6, mac, dns, addHost, policy,
            kernel, initrd, append, insecure, quiet, timing, words,
        };
        command.Aliases.Add("run");
        command.SetAction(result =>
        {
            string[] given = result.GetValue(words)!;
            var request = new Protocol.Control.LaunchRequest
            {
                Image = given[0],
                Kernel = FullPath(result.GetValue(kernel)),
                Initrd = FullPath(result.GetValue(initrd)),
                Vcpus = result.GetValue(cpus),
                MemoryMib = result.GetValue(memory),
                Name = result.GetValue(name) ?? "",
                Hostname = result.GetValue(hostname) ?? "",
                Workdir = result.GetValue(workdir) ?? "",
                User = result.GetValue(user) ?? "",
                Interactive = result.GetValue(interactive),
                Terminal = result.GetValue(terminal),
                Attach = result.GetValue(attach),
                AutoRemove = result.GetValue(remove),
                Debug = CommandTree.IsDebug(result),
                Insecure = result.GetValue(insecure),
                Term = Environment.GetEnvironmentVariable("TERM") ?? "",
                Append = result.GetValue(append) ?? "",
                Network = result.GetValue(network) ?? "",
                Ip = result.GetValue(ip) ?? "",
                Ip6 = result.GetValue(ip6) ?? "",
                Mac = result.GetValue(mac) ?? "",
                Policy = result.GetValue(policy) is { } rules ? File.ReadAllText(rules.FullName) : "",
            };
            if (result.GetValue(entrypoint) is { } program)
                request.Entrypoint = program;
            request.Publish.AddRange(result.GetValue(publish) ?? []);
            request.Dns.AddRange(result.GetValue(dns) ?? []);
            request.AddHost.AddRange(result.GetValue(addHost) ?? []);
            request.Command.AddRange(given.Skip(1));
            request.Env.AddRange(EnvironmentWords.Collect(result.GetValue(envFile) ?? [], result.GetValue(env) ?? [], Environment.GetEnvironmentVariable));
            return new Launching(result.Connect(), request, result.GetValue(quiet), result.GetValue(timing)).RunAsync();
        });
        return HelpWithExamples.Add(command, usage: "hyphactl launch [options] IMAGE [COMMAND [ARGUMENT...]]", examples: """
            hyphactl launch --attach debian:12                       a shell; Ctrl+] leaves it running
            hyphactl launch --attach --rm busybox ls -l /            options after the image are the command's
            echo hello | hyphactl launch --attach --rm busybox cat
            hyphactl launch --name web -m 1G -c 2 -e TZ=UTC -p 8080:80 nginx
            hyphactl launch --insecure registry.local:5000/app:3

            Exit status with --attach: the container's; 125 when it could not be launched,
            126 when its command cannot be executed, 127 when it was not found.
            """);
    }

    // hyphad has a working directory of its own.
    private static string FullPath(string? path) => string.IsNullOrEmpty(path) ? "" : Path.GetFullPath(path);

    private static ulong ParseMemory(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        if (MemorySize.TryParse(text, out ulong mebibytes))
            return mebibytes;
        result.AddError($"\"{text}\" is no memory size; give MiB as a number, or a suffix: 512, 512M, 2G");
        return 0;
    }

    private static Option<string> Text(string name, string? shortForm, string value, string description) =>
        new(name, shortForm is null ? [] : [shortForm]) { Description = description, HelpName = value };

    // One word a time, so that a list never swallows the image.
    private static Option<string[]> Texts(string name, string? shortForm, string value, string description) =>
        new(name, shortForm is null ? [] : [shortForm])
        {
            Description = $"{description}; may be repeated",
            HelpName = value,
            AllowMultipleArgumentsPerToken = false,
        };

    private static Option<bool> Flag(string name, string? shortForm, string description) =>
        new(name, shortForm is null ? [] : [shortForm]) { Description = description, Arity = ArgumentArity.Zero };
}
