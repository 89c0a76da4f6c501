namespace Hypha.Ctl.CommandLine;

/// <summary>What hyphactl exits with when it is not a container's status.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failure = 1;
    public const int Usage = 2;

    /// <summary>A container could not be launched or attached to, as in docker and podman.</summary>
    public const int LaunchFailure = 125;

    /// <summary>As a shell says it: 128 and the signal's number.</summary>
    public const int Interrupted = 128 + 2;
    public const int HungUp = 128 + 1;
    public const int BrokenPipe = 128 + 13;
    public const int Terminated = 128 + 15;
}
