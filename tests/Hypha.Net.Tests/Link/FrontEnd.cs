using System.Runtime.InteropServices;
using Hypha.Linux;
using Hypha.Net.Link.Netif;
using Hypha.Net.Loop;
using Hypha.Net.Wire;
using Hypha.Xen;

namespace Hypha.Net.Tests.Link;

/// <summary>A guest's side of a vif over plain memory: writes whatever it likes into the rings.</summary>
internal sealed class FrontEnd : IDisposable, Hypha.Net.Link.IFrameReceiver
{
    private readonly MemoryMapping _rings = MemoryMapping.Anonymous(2 * 4096);
    private readonly Dictionary<uint, byte[]> _pages = [];
    private readonly Ports _ports = new();
    private readonly List<string> _log = [];
    private uint _transmit, _receive;

    public FrontEnd(bool segments = true)
    {
        var queue = new NetifQueue(_rings, _rings, _ports, new EvtchnPort(1), new EvtchnPort(2));
        Link = new NetifLink(Loop, new DomainId(7), [queue], _ports, new Copier(this), new Copier(this), 1500, segments, _log.Add);
    }

    public EventLoop Loop { get; } = new();

    public NetifLink Link { get; }

    public List<(VirtioNetHeader Offload, byte[] Frame)> Received { get; } = [];

    public IReadOnlyList<string> Log => _log;

    /// <summary>Events that the back end sent, by port.</summary>
    public IReadOnlyList<EvtchnPort> Notified => _ports.Notified;

    public byte[] Page(uint grant) => _pages[grant];

    public void Grant(uint grant, byte[]? bytes = null)
    {
        _pages[grant] = new byte[4096];
        bytes?.CopyTo(_pages[grant], 0);
    }

    public void Revoke(uint grant) => _pages.Remove(grant);

    /// <summary>Puts raw slots into the transmit ring and shows them.</summary>
    public void Transmit(params object[] slots)
    {
        foreach (object slot in slots)
        {
            Span<byte> to = _rings.Span.Slice(64 + (int)(_transmit++ & 255) * 12, 12);
            if (slot is TransmitRequest request)
                MemoryMarshal.Write(to, request);
            else
                MemoryMarshal.Write(to, (ExtraInfo)slot);
        }
        Index(0, 0) = _transmit;
    }

    public void PostPages(params uint[] grants)
    {
        foreach (uint grant in grants)
            MemoryMarshal.Write(_rings.Span.Slice(4096 + 64 + (int)(_receive & 255) * 8, 8), new ReceiveRequest((ushort)(_receive++ & 255), 0, grant));
        Index(1, 0) = _receive;
    }

    /// <summary>An index of struct xx_sring: 0 req_prod, 4 req_event, 8 rsp_prod, 12 rsp_event.</summary>
    public ref uint Index(int ring, int offset) => ref MemoryMarshal.AsRef<uint>(_rings.Span[(ring * 4096 + offset)..]);

    public TransmitResponse TransmitResponse(int index) => MemoryMarshal.Read<TransmitResponse>(_rings.Span[(64 + (index & 255) * 12)..]);

    public ReceiveResponse ReceiveResponse(int index) => MemoryMarshal.Read<ReceiveResponse>(_rings.Span[(4096 + 64 + (index & 255) * 8)..]);

    public ExtraInfo ReceiveExtra(int index) => MemoryMarshal.Read<ExtraInfo>(_rings.Span[(4096 + 64 + (index & 255) * 8)..]);

    public int Receive(int limit = 64) => Link.Receive(this, limit, 0);

    void Hypha.Net.Link.IFrameReceiver.Receive(in VirtioNetHeader offload, ReadOnlySpan<byte> frame, long now) => Received.Add((offload, frame.ToArray()));

    public void Dispose()
    {
        Link.Dispose();
        Loop.Dispose();
    }

    private sealed class Ports : IEventPorts
    {
        public List<EvtchnPort> Notified { get; } = [];

        public int Number => -1;

        public void Notify(EvtchnPort port) => Notified.Add(port);

        public int Read(Span<EvtchnPort> ports) => 0;

        public void Unmask(ReadOnlySpan<EvtchnPort> ports)
        {
        }

        public bool Unbind(EvtchnPort port) => true;

        public void Dispose()
        {
        }
    }

    private sealed class Copier(FrontEnd guest) : IGrantCopier
    {
        private readonly List<(uint Grant, int Offset, int Local, int Length, bool Write)> _copies = [];
        private readonly List<bool> _done = [];

        public MemoryMapping Memory { get; } = MemoryMapping.Anonymous(8 * 65_536);

        public int Count => _copies.Count;

        public int Room => 256 - Count;

        public int AddRead(GrantRef from, int offset, int to, int length) => Add(from.Value, offset, to, length, write: false);

        public int AddWrite(int from, GrantRef to, int offset, int length) => Add(to.Value, offset, from, length, write: true);

        public void Run()
        {
            _done.Clear();
            foreach (var (grant, offset, local, length, write) in _copies)
            {
                bool granted = guest._pages.TryGetValue(grant, out byte[]? page);
                _done.Add(granted);
                if (granted && write)
                    Memory.Span.Slice(local, length).CopyTo(page.AsSpan(offset));
                else if (granted)
                    page.AsSpan(offset, length).CopyTo(Memory.Span[local..]);
            }
        }

        public bool Succeeded(int number) => _done[number];

        public void Clear() => _copies.Clear();

        public void Dispose() => Memory.Dispose();

        private int Add(uint grant, int offset, int local, int length, bool write)
        {
            Assert.InRange(length, 1, 4096);
            Assert.InRange(offset, 0, 4096 - length);
            Assert.True(Room > 0);
            _copies.Add((grant, offset, local, length, write));
            return _copies.Count - 1;
        }
    }
}
