using System.Globalization;
using Hypha.Net.Gateway;

namespace Hypha.Net.Guests;

/// <summary>A guest that is served, and how it is called.</summary>
/// <param name="Interface">The host's end of its link.</param>
/// <param name="Domain">Xen's number of it; 0 for a guest that is no domain.</param>
/// <param name="Network">Its name; empty when the guest is alone on its link.</param>
public readonly record struct ServedGuest(string Interface, int Domain, string Network, Attachment Attachment)
{
    /// <summary>Whether it is one of its names on its network, its interface, or its domain's number.</summary>
    public bool IsCalled(string name) =>
        name == Interface || (Domain != 0 && name == Domain.ToString(CultureInfo.InvariantCulture))
        || Attachment.Configuration.Names.Contains(name, StringComparer.OrdinalIgnoreCase);
}
