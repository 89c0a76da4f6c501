namespace Hypha.Guest;

/// <summary>The container cannot start. The message is one sentence for the person who launched it.</summary>
public sealed class StartException(uint exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Hypha's own failure, or a bundle that cannot be carried out.</summary>
    public const uint CannotStart = 125;

    public const uint NotExecutable = 126;

    public const uint NotFound = 127;

    public uint ExitCode { get; } = exitCode;
}
