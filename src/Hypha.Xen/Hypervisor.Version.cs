using Hypha.Xen.Native;
using System.Text;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_xen_version, public/version.h.</summary>
public sealed partial class Hypervisor
{
    private const int ExtraVersionLength = 16;   // xen_extraversion_t
    private const int CapabilitiesLength = 1024; // xen_capabilities_info_t
    private const int CommandLineLength = 1024;  // xen_commandline_t

    public XenVersion Version { get; }

    /// <summary>What kinds of guest can run, as Xen writes it: "xen-3.0-x86_64 hvm-3.0-x86_64".</summary>
    public string ReadCapabilities() => ReadText(XenVersionOp.capabilities, CapabilitiesLength, "reading the hypervisor's capabilities");

    /// <summary>The command line that the hypervisor was booted with.</summary>
    public string ReadCommandLine() => ReadText(XenVersionOp.commandline, CommandLineLength, "reading the hypervisor's command line");

    private XenVersion ReadVersion()
    {
        int version = _privcmd.TryCall(HypercallNumber.xen_version, (ulong)XenVersionOp.version);
        if (version < 0)
            throw XenException.FromLastError("asking the hypervisor for its version");
        string extra = ReadText(XenVersionOp.extraversion, ExtraVersionLength, "reading the hypervisor's extra version");
        return new XenVersion(version >> 16, version & 0xFFFF, extra);
    }

    private string ReadText(XenVersionOp op, int length, string what)
    {
        using HypercallBuffer buffer = _privcmd.Rent(length);
        if (_privcmd.TryCall(HypercallNumber.xen_version, (ulong)op, buffer.Address) < 0)
            throw XenException.FromLastError(what);
        ReadOnlySpan<byte> text = buffer.Span[..length];
        int end = text.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? text : text[..end]).Trim();
    }
}
