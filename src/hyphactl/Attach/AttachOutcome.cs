using Hypha.Protocol.Control;

namespace Hypha.Ctl.Attach;

/// <summary>How an attach ended: with the container's exit, or by leaving it running.</summary>
/// <param name="Exit">Null when the client left.</param>
/// <param name="LeaveCode">The exit status for a client that left.</param>
internal readonly record struct AttachOutcome(ExitStatus? Exit, int LeaveCode = 0);
