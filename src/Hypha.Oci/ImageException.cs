namespace Hypha.Oci;

/// <summary>
/// An image cannot be had. The message is a sentence for a person: what was tried, on what, why it failed and, where
/// there is something to do, what. It carries text from images and registries only with control characters escaped.
/// </summary>
public sealed class ImageException(string message, Exception? cause = null) : Exception(message, cause);
