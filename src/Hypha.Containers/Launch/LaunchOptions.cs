namespace Hypha.Containers.Launch;

/// <summary>What a client asks for, with defaults filled in and everything checked that can be checked without an image.</summary>
public sealed record LaunchOptions
{
    public const int DefaultVCpus = 1;
    public const int MaximumVCpus = 32;
    public const long DefaultMemoryMiB = 512;
    public const long MinimumMemoryMiB = 16;
    public const long MaximumMemoryMiB = 1 << 20; // 1 TiB

    public required string Image { get; init; }

    /// <summary>The new container's; a client that chose it can name a launch that has not answered yet.</summary>
    public Records.ContainerId Id { get; init; } = Records.ContainerId.New();

    public IReadOnlyList<string> Command { get; init; } = [];
    public string Kernel { get; init; } = "";
    public string Initrd { get; init; } = "";
    public int VCpus { get; init; } = DefaultVCpus;
    public long MemoryMiB { get; init; } = DefaultMemoryMiB;
    public IReadOnlyList<string> Environment { get; init; } = [];
    public string Name { get; init; } = "";
    public string Hostname { get; init; } = "";
    public string WorkingDirectory { get; init; } = "";
    public string User { get; init; } = "";

    /// <summary>Null keeps the image's; empty clears it.</summary>
    public string? Entrypoint { get; init; }
    public bool Interactive { get; init; }
    public bool Terminal { get; init; }
    public bool Attach { get; init; }
    public bool AutoRemove { get; init; }
    public bool Debug { get; init; }
    public int Columns { get; init; }
    public int Rows { get; init; }
    public bool Insecure { get; init; }
    public string Term { get; init; } = "";
    public string Append { get; init; } = "";
    public Network.NetworkWishes Network { get; init; } = new();

    /// <exception cref="ContainerException">InvalidArgument, with the option and its bounds.</exception>
    public void Check()
    {
        if (string.IsNullOrWhiteSpace(Image))
            throw Invalid("no image was given.");
        if (VCpus is < 1 or > MaximumVCpus)
            throw Invalid($"{VCpus} vCPUs were asked for; a guest has 1 to {MaximumVCpus}.");
        if (MemoryMiB is < MinimumMemoryMiB or > MaximumMemoryMiB)
            throw Invalid($"{MemoryMiB} MiB of memory were asked for; a guest has {MinimumMemoryMiB} to {MaximumMemoryMiB}.");
        if (Name.Length > 0)
            Records.ContainerName.Check(Name);
        if (Hostname.Length > 0)
            Records.ContainerName.CheckHostname(Hostname);
        if (WorkingDirectory.Length > 0 && !WorkingDirectory.StartsWith('/'))
            throw Invalid($"the working directory \"{WorkingDirectory}\" is not absolute.");
        foreach (string variable in Environment)
        {
            if (variable.IndexOf('=') is 0 or -1)
                throw Invalid($"the environment variable \"{variable}\" has not the form NAME=VALUE.");
        }
        if (Command.Concat(Environment).Any(text => text.Contains('\0')))
            throw Invalid("an argument or an environment variable holds a NUL character.");
        Network.Check();
        if (Append.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0)
            throw Invalid("the kernel's command line holds a control character.");
    }

    private static ContainerException Invalid(string why) => new(ContainerError.InvalidArgument, why);
}
