using System.Buffers.Binary;
using System.Security.Cryptography;
using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Wire;

namespace Hypha.Net.Dns;

/// <summary>
/// A guest's question under way to a server. Each goes from a socket of its own, so from a port that nobody can guess, with an identifier of its
/// own (RFC 5452), and takes an answer from that server alone, to this question alone.
/// </summary>
internal sealed class DnsQuery : Loop.Timer, IFileWatcher
{
    private const ushort ServerPort = 53;
    private const long Patience = 2 * MonotonicClock.Second; // with each server
    private const int Rounds = 2;
    private const int MostLies = 64; // to one socket; whoever sends more guesses (RFC 5452 5)

    private readonly DnsForwarder _forwarder;
    private readonly IReadOnlyList<IpAddress> _servers;
    private readonly byte[] _message;
    private ushort _id;
    private RawSocket _socket = RawSocket.None;
    private ulong _token;
    private int _tries, _lies;

    public DnsQuery(DnsForwarder forwarder, IReadOnlyList<IpAddress> servers, in DnsMessage query, IpAddress guest, ushort port, IpAddress gateway)
    {
        _forwarder = forwarder;
        _servers = servers;
        _message = query.Bytes.ToArray();
        Guest = guest;
        Port = port;
        Gateway = gateway;
    }

    public IpAddress Guest { get; }

    public ushort Port { get; }

    public IpAddress Gateway { get; }

    /// <summary>Who was asked last, by its place among the servers.</summary>
    public int ServerIndex { get; private set; }

    /// <summary>The question as the guest put it.</summary>
    public ReadOnlySpan<byte> Message => _message;

    public bool IsOf(IpAddress guest, ushort port, ReadOnlySpan<byte> query) => guest == Guest && port == Port && query.SequenceEqual(Message);

    /// <summary>Asks the next server; gives up after the last round.</summary>
    public void Ask(long now)
    {
        Close();
        while (_tries < _servers.Count * Rounds)
        {
            ServerIndex = (_forwarder.Preferred + _tries++) % _servers.Count;
            if (TrySend(_servers[ServerIndex]))
            {
                _forwarder.Loop.Timers.Set(this, now + Patience);
                return;
            }
        }
        _forwarder.Fail(this);
    }

    public void Ready(EpollEvents events, long now)
    {
        Span<byte> answer = _forwarder.Buffer;
        while (_lies < MostLies)
        {
            int got = _socket.Receive(answer);
            if (got == -(int)Errno.EAGAIN)
                return;
            if (got < 0)
            {
                Ask(now); // refused, unreachable
                return;
            }
            if (IsAnswer(answer[..got], out DnsMessage message))
            {
                Close();
                _message.AsSpan(0, 2).CopyTo(answer);
                _forwarder.Pass(this, answer[..got], message, now);
                return;
            }
            _forwarder.Counters.Lies++;
            _lies++;
        }
        Ask(now); // from another port, with another identifier
    }

    public void Close()
    {
        _forwarder.Loop.Timers.Clear(this);
        if (!_socket.IsOpen)
            return;
        _forwarder.Loop.Remove(_socket.Number, _token);
        _socket.Close();
        _socket = RawSocket.None;
    }

    protected internal override void Expire(long now) => Ask(now);

    private bool TrySend(IpAddress server)
    {
        RawSocket socket = RawSocket.Open(HostAddress.Family(server), RawSocket.Datagram);
        if (!socket.IsOpen)
            return false;
        Span<byte> address = stackalloc byte[HostAddress.MaximumSize];
        _id = (ushort)RandomNumberGenerator.GetInt32(0x10000);
        Span<byte> query = _forwarder.Buffer.AsSpan(0, _message.Length);
        _message.CopyTo(query);
        BinaryPrimitives.WriteUInt16BigEndian(query, _id);
        if (socket.Connect(HostAddress.Write(address, server, ServerPort)) < 0 || socket.Send(query) < 0)
        {
            socket.Close();
            return false;
        }
        try
        {
            _token = _forwarder.Sockets.Add(socket.Number, EpollEvents.Readable, this);
        }
        catch (LinuxException)
        {
            socket.Close();
            return false;
        }
        _socket = socket;
        _lies = 0;
        return true;
    }

    /// <summary>The identifier, and the question byte for byte but for the letters' case (RFC 5452 9.1).</summary>
    private bool IsAnswer(ReadOnlySpan<byte> answer, out DnsMessage message)
    {
        if (DnsMessage.TryParse(answer, out message) != WireFault.None || !message.IsResponse || message.Id != _id)
            return false;
        return DnsMessage.TryParse(_message, out DnsMessage query) == WireFault.None && message.AsksTheSame(query);
    }
}
