using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>Where a device's two ends meet in the store (misc/xenstore-paths, "Frontend device paths", "Backend device paths").</summary>
/// <param name="Kind">Of the back end: "vbd", "vif"…</param>
/// <param name="Number">Of the device, within its kind and guest.</param>
public readonly record struct DevicePaths(string Kind, DomainId Guest, int Number)
{
    /// <summary>Node in each of our back end directories: the guest's UUID. Domain numbers are used again, and other toolstacks have devices too.</summary>
    public const string OwnerNode = "hypha";

    /// <summary>Back ends live in the host's own domain.</summary>
    public static StorePath Backends { get; } = StorePath.Domain(0) / "backend";

    /// <summary>Where Linux writes why a back end gave up, laid out as the back ends are (drivers/xen/xenbus/xenbus_client.c, xenbus_dev_error).</summary>
    public static StorePath BackendErrors { get; } = StorePath.Domain(0) / "error/backend";

    /// <summary>The kind as the guest knows it: who serves a vif is nothing to it.</summary>
    private string FrontendKind => Kind == NetifBackEnd.Kind ? "vif" : Kind;

    // A guest's console stands where it does since before there were kinds.
    public StorePath Frontend => Kind == "console" && Number == 0
        ? StorePath.Domain(Guest.Value) / "console"
        : StorePath.Domain(Guest.Value) / "device" / FrontendKind / Number;

    public StorePath Backend => Backends / Kind / Guest.Value / Number;

    public StorePath BackendError => BackendErrors / Kind / Guest.Value / Number / "error";
}
