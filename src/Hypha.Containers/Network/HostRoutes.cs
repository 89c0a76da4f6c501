using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Hypha.Containers.Network;

/// <summary>The IPv4 networks that this host has routes to, or addresses of: guests on one of the same addresses could not reach them.</summary>
public static class HostRoutes
{
    private const string Table = "/proc/net/route";
    private const int Destination = 1, Mask = 7; // columns

    public static IReadOnlyList<IPNetwork> Read()
    {
        List<IPNetwork> found = [.. Parse(File.ReadLines(Table))];
        foreach (NetworkInterface nic in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (UnicastIPAddressInformation own in nic.GetIPProperties().UnicastAddresses)
            {
                if (own.Address.AddressFamily == AddressFamily.InterNetwork)
                    found.Add(new IPNetwork(own.Address, 32));
            }
        }
        return found;
    }

    /// <summary>All but the default route. Addresses are as the kernel has them in memory, printed as numbers of this machine.</summary>
    internal static IEnumerable<IPNetwork> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines.Skip(1))
        {
            string[] columns = line.Split('\t', StringSplitOptions.TrimEntries);
            if (columns.Length <= Mask || !TryParse(columns[Destination], out uint destination) || !TryParse(columns[Mask], out uint mask) || mask == 0)
                continue;
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, destination & mask);
            yield return new IPNetwork(new IPAddress(bytes), int.CreateChecked(uint.LeadingZeroCount(~mask)));
        }
    }

    private static bool TryParse(string text, out uint value)
    {
        bool parsed = uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        value = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
        return parsed;
    }
}
