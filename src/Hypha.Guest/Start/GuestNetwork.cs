using System.Net;
using System.Net.Sockets;
using Hypha.Linux;
using Hypha.Protocol.Guest;
using NetworkInterface = Hypha.Linux.NetworkInterface;

namespace Hypha.Guest.Start;

/// <summary>Sets the guest's interfaces to what the bundle says; nothing is asked of the network.</summary>
public static class GuestNetwork
{
    private const string Interfaces = "/sys/class/net";

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    /// <exception cref="StartException">An interface did not appear.</exception>
    /// <exception cref="LinuxException">One could not be set.</exception>
    public static void Apply(IEnumerable<Protocol.Guest.NetworkInterface> interfaces, InitConsole console)
    {
        NetworkInterface.Of("lo").BringUp(); // the kernel gives it its addresses
        foreach (Protocol.Guest.NetworkInterface wanted in interfaces)
        {
            NetworkInterface nic = NetworkInterface.Of(WaitFor(wanted.Mac));
            Configure(nic, wanted, console);
        }
    }

    /// <summary>Gives an interface another place: all that it had is taken from it first. Without addresses it keeps its link alone.</summary>
    /// <exception cref="StartException">There is no such interface.</exception>
    /// <exception cref="LinuxException">It could not be set, and may be half of one and half of the other.</exception>
    /// <exception cref="FormatException">An address is none.</exception>
    public static void Change(Protocol.Guest.NetworkInterface wanted, InitConsole console)
    {
        NetworkInterface nic = NetworkInterface.Of(WaitFor(wanted.Mac));
        Set($"/proc/sys/net/ipv6/conf/{nic.Name}/keep_addr_on_down", "0", console);
        nic.Clear();
        Configure(nic, wanted, console);
    }

    private static void Configure(NetworkInterface nic, Protocol.Guest.NetworkInterface wanted, InitConsole console)
    {
        // Addresses are the host's to give: none of its own making, and none to be checked for being free.
        foreach (var (name, value) in new[] { ("accept_ra", "0"), ("autoconf", "0"), ("dad_transmits", "0"), ("accept_dad", "0") })
            Set($"/proc/sys/net/ipv6/conf/{nic.Name}/{name}", value, console);
        if (wanted.Mtu > 0)
            nic.Mtu = (int)wanted.Mtu;
        nic.BringUp();
        foreach (string text in wanted.Addresses)
        {
            IPAddress address = Parse(text, out int prefixLength);
            nic.AddAddress(address, prefixLength);
        }
        foreach (string text in wanted.Gateways)
            nic.AddDefaultRoute(IPAddress.Parse(text));
        console.Debug($"{nic.Name} is {string.Join(", ", wanted.Addresses)}");
    }

    private static IPAddress Parse(string text, out int prefixLength)
    {
        int slash = text.IndexOf('/');
        IPAddress address = IPAddress.Parse(text.AsSpan(0, slash));
        prefixLength = int.Parse(text.AsSpan(slash + 1));
        return address;
    }

    private static void Set(string path, string value, InitConsole console)
    {
        try
        {
            System.IO.File.WriteAllText(path, value);
        }
        catch (IOException e)
        {
            console.Debug($"{path} stays as it is: {e.Message}");
        }
    }

    /// <summary>The interface appears once its front end and the host's back end have found each other.</summary>
    private static string WaitFor(string mac)
    {
        long deadline = Environment.TickCount64 + (long)s_deadline.TotalMilliseconds;
        do
        {
            foreach (string path in Directory.EnumerateDirectories(Interfaces))
            {
                if (System.IO.File.ReadAllText($"{path}/address").Trim() == mac)
                    return Path.GetFileName(path);
            }
            // sysfs tells of no changes; the device comes within milliseconds.
            Thread.Sleep(2);
        }
        while (Environment.TickCount64 < deadline);
        throw new StartException(StartException.CannotStart,
            $"the guest's network interface {mac} did not appear within {s_deadline.TotalSeconds:0} s: with hyphad --netback, is xen-netback loaded on the host?");
    }
}
