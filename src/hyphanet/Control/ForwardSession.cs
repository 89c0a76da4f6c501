using Google.Protobuf;
using Hypha.Net.Nat;
using Hypha.Net.Wire;
using Hypha.Protocol.Network;
using Hypha.Ttrpc;

namespace Hypha.NetworkDaemon.Control;

/// <summary>The ports that a connection has led to guests. They are the loop's to change.</summary>
internal sealed class ForwardSession(GuestView guests) : IDisposable
{
    private const int MostPorts = 1_024;

    private readonly List<IDisposable> _forwarded = [];
    private bool _over;

    /// <exception cref="FormatException">A port has not its form.</exception>
    public async Task<IMessage> Begin(ForwardRequest request, CancellationToken ct)
    {
        PublishedPort[] ports = [.. request.Ports.Select(Parse)];
        if (ports.Sum(port => port.Count) > MostPorts)
            throw new FormatException($"at most {MostPorts} ports are forwarded at once");
        await guests.WithAsync(request.Name, guest =>
        {
            if (_over)
                return false;
            foreach (PublishedPort port in ports)
            {
                try
                {
                    _forwarded.Add(guest.Attachment.Forward(port));
                }
                catch (IOException error)
                {
                    throw new TtrpcException(StatusCode.FailedPrecondition, error.Message, error);
                }
            }
            return true;
        }).WaitAsync(ct).ConfigureAwait(false);
        return new ForwardResponse();
    }

    public void Dispose() => guests.Post(() =>
    {
        _over = true;
        _forwarded.ForEach(one => one.Dispose());
        _forwarded.Clear();
    });

    private static PublishedPort Parse(string text) =>
        PublishedPort.TryParse(text, out PublishedPort port) && port.Protocol == IpProtocol.Tcp ? port with { Host = port.Host ?? IpAddress.OfV4(0x7F00_0001) }
            : throw new FormatException($"\"{text}\" has not the form [IP:]HOST:GUEST; UDP is not forwarded, but published (-p)");
}
