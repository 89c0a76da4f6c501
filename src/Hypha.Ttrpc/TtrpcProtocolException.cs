namespace Hypha.Ttrpc;

/// <summary>The peer broke the protocol. The message says how; the connection is closed, for nothing after it can be trusted.</summary>
public sealed class TtrpcProtocolException(string message, Exception? inner = null) : IOException(message, inner);
