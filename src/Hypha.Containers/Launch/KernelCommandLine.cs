namespace Hypha.Containers.Launch;

/// <summary>The guest kernel's command line.</summary>
internal static class KernelCommandLine
{
    // MAX_GUEST_CMDLINE of xen/include/public/xen.h, with its NUL.
    private const int Maximum = 1024;

    /// <exception cref="ContainerException">InvalidArgument when it is too long for start_info.</exception>
    public static string Make(LaunchOptions options)
    {
        // hvc0 is the PV console; the init reads its own words from the bundle, none from here.
        string line = $"console=hvc0 rdinit=/init {(options.Debug ? "loglevel=7" : "quiet")} {options.Append}".TrimEnd();
        return line.Length < Maximum ? line
            : throw new ContainerException(ContainerError.InvalidArgument,
                $"the kernel's command line is {line.Length} characters long, and {Maximum - 1} are the limit. Shorten --append.");
    }
}
