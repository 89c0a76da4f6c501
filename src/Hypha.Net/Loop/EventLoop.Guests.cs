using Hypha.Linux;

namespace Hypha.Net.Loop;

/// <summary>What happened to guests' sockets: told guest by guest, each in its share, however it came from the kernel.</summary>
public sealed partial class EventLoop
{
    internal const int None = -1;

    private readonly Queue<GuestSockets> _guests = new();

    /// <summary>Has the entry wait for its guest's share. Events that come meanwhile are added: an edge is told once.</summary>
    private void Await(int index, EpollEvents events)
    {
        ref Entry entry = ref At(index);
        bool waits = entry.Pending != EpollEvents.None;
        entry.Pending |= events;
        if (waits)
            return;
        GuestSockets guest = entry.Guest!;
        entry.Previous = guest.Last;
        entry.Next = None;
        if (guest.Last == None)
            guest.First = index;
        else
            At(guest.Last).Next = index;
        guest.Last = index;
        if (guest.IsQueued)
            return;
        guest.IsQueued = true;
        _guests.Enqueue(guest);
    }

    /// <summary>Tells each guest's sockets as far as its share goes; the rest has the next turn.</summary>
    private void TellGuests()
    {
        for (int left = _guests.Count; left > 0; left--)
        {
            GuestSockets guest = _guests.Dequeue();
            var share = Shares.Begin(ref guest.Seen, Now);
            while (guest.First != None)
            {
                ref Entry entry = ref At(guest.First);
                (IFileWatcher watcher, EpollEvents events) = (entry.Watcher!, entry.Pending);
                Leave(ref entry);
                watcher.Ready(events, Now);
                if (share.IsOver)
                    break;
            }
            guest.IsQueued = guest.First != None;
            if (guest.IsQueued)
                _guests.Enqueue(guest);
        }
    }

    /// <summary>The entry waits no longer.</summary>
    private void Leave(ref Entry entry)
    {
        if (entry.Pending == EpollEvents.None)
            return;
        GuestSockets guest = entry.Guest!;
        if (entry.Previous == None)
            guest.First = entry.Next;
        else
            At(entry.Previous).Next = entry.Next;
        if (entry.Next == None)
            guest.Last = entry.Previous;
        else
            At(entry.Next).Previous = entry.Previous;
        entry.Pending = EpollEvents.None;
    }
}
