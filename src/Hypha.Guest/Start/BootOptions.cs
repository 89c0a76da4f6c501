namespace Hypha.Guest.Start;

/// <summary>What the kernel's command line tells the init: <c>hypha.bundle=</c> and <c>hypha.channel=</c>, devices for a machine other than a Xen guest.</summary>
public sealed record BootOptions(string BundleDevice, string? ChannelDevice)
{
    public static BootOptions Parse(string commandLine)
    {
        string bundle = "/dev/xvdb";
        string? channel = null;
        foreach (string word in commandLine.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith("hypha.bundle=", StringComparison.Ordinal))
                bundle = word["hypha.bundle=".Length..];
            else if (word.StartsWith("hypha.channel=", StringComparison.Ordinal))
                channel = word["hypha.channel=".Length..];
        }
        return new BootOptions(bundle, channel);
    }
}
