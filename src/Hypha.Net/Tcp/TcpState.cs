namespace Hypha.Net.Tcp;

/// <summary>RFC 9293 3.3.2, from our side; and <see cref="Connecting"/> before it, while a guest's SYN waits for the other side's answer.</summary>
public enum TcpState : byte
{
    Connecting,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

/// <summary>How a connection ended.</summary>
public enum TcpEnd : byte
{
    /// <summary>Both sides said that they were done.</summary>
    Finished,

    /// <summary>The guest reset it.</summary>
    ResetByGuest,

    /// <summary>The other side reset or broke it.</summary>
    Broken,

    /// <summary>The guest did not answer any more.</summary>
    TimedOut,
}
