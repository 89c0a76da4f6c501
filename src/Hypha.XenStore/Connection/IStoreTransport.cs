namespace Hypha.XenStore;

/// <summary>What carries messages: the daemon's socket or the kernel's device. Reading blocks a thread of the connection's own.</summary>
internal interface IStoreTransport
{
    /// <summary>For messages to people: a path.</summary>
    string Name { get; }

    /// <summary>Blocks until some bytes are there; 0 at the end.</summary>
    int Read(Span<byte> buffer);

    /// <summary>Writes whole messages, one or more.</summary>
    void Write(ReadOnlySpan<byte> messages);

    /// <summary>Wakes a reader for the last time.</summary>
    void Stop();

    /// <summary>Closes what was open. Called by the reader, once it has stopped reading.</summary>
    void Close();
}
