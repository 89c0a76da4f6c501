namespace Hypha.Ctl.Attach;

/// <summary>Ctrl+] leaves the container running, as it leaves a telnet or xl console session.</summary>
internal static class DetachKey
{
    public const byte Code = 0x1d; // ASCII GS

    public const string Name = "Ctrl+]";
}
