namespace Hypha.DomainBuilder.Kernel;

/// <summary>A kernel file cannot be used. The message is a sentence for the person who named the file.</summary>
public sealed class KernelImageException : Exception
{
    public KernelImageException(string message) : base(message) { }

    public KernelImageException(string message, Exception cause) : base(message, cause) { }
}
