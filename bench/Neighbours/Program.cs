using System.Runtime.InteropServices;
using Hypha.Linux;
using Hypha.Net.Gateway;
using Hypha.Net.Link;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

// Several guests of one network served by one loop, as hyphanet serves those of a Xen host, behind interfaces instead of vifs.
const string Usage = "neighbours GATEWAY DNS INTERFACE,MAC,ADDRESS/N[,POLICY]…";

if (args.Length < 3 || !IpAddress.TryParse(args[0], out IpAddress gateway) || !IpAddress.TryParse(args[1], out IpAddress dns))
{
    Console.Error.WriteLine(Usage);
    return 2;
}
CallingProcess.RaiseOpenFiles();
using var loop = new EventLoop();
var network = new NetworkSwitch("bench");
var guests = new List<Attachment>();
foreach (string guest in args.AsSpan(2))
{
    if (guest.Split(',') is not [var nic, var macText, var addressText, .. var policy] || !MacAddress.TryParse(macText, out MacAddress mac) || !Subnet.TryParse(addressText, out Subnet address))
    {
        Console.Error.WriteLine($"\"{guest}\" is no guest: {Usage}");
        return 2;
    }
    var attachment = new Attachment(loop, new InterfaceLink(loop, nic), new GuestConfiguration
    {
        Mac = mac,
        V4 = address,
        GatewayV4 = gateway,
        Dns = [dns],
        Policy = policy is [var file] ? NetworkPolicy.Parse(File.ReadAllText(file)) : NetworkPolicy.None,
    }, network);
    if (!network.TryAdd(attachment))
        throw new IOException($"\"{guest}\" is another's neighbour by the same MAC or address");
    attachment.Announce();
    guests.Add(attachment);
}
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    loop.Stop();
});
Console.Out.WriteLine("ready");
loop.Run();
foreach (Attachment guest in guests)
{
    Console.Error.WriteLine($"{guest.Configuration.V4}: {guest.Counters.FramesIn} frames came, {guest.Counters.LimitedOut} of them over its limits");
    guest.Dispose();
}
return 0;
