namespace Hypha.DomainBuilder;

/// <summary>A domain cannot be built as described. The message is a sentence for the person who asked; nothing is left behind.</summary>
public sealed class DomainBuildException : Exception
{
    public DomainBuildException(string message) : base(message) { }

    public DomainBuildException(string message, Exception cause) : base(message, cause) { }
}
