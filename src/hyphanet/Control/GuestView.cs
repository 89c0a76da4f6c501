using Hypha.Net.Guests;
using Hypha.Net.Loop;
using Hypha.Net.Telemetry;

namespace Hypha.NetworkDaemon.Control;

/// <summary>The guests, for threads that are not the loop's: each question is answered by the loop, from what is there at that moment.</summary>
/// <param name="served">Called by the loop.</param>
internal sealed class GuestView(EventLoop loop, Func<IReadOnlyList<ServedGuest>> served)
{
    /// <summary>Statistics of all guests, or of those that are called so.</summary>
    /// <exception cref="NoSuchGuestException">Nobody has one of the names.</exception>
    public Task<List<(ServedGuest Guest, GuestStatistics Statistics)>> StatisticsAsync(IReadOnlyCollection<string> names) =>
        loop.PostAsync(() => Named(names).Select(guest => (guest, guest.Attachment.Statistics())).ToList());

    /// <summary>A page of their flows, and how many there are in all.</summary>
    /// <exception cref="NoSuchGuestException">Nobody has one of the names.</exception>
    public Task<(List<(ServedGuest Guest, FlowRecord Flow)> Flows, int Total)> FlowsAsync(IReadOnlyCollection<string> names, int offset, int limit) =>
        loop.PostAsync(() =>
        {
            List<ServedGuest> guests = Named(names);
            var flows = guests.SelectMany(guest => guest.Attachment.Flows().Select(flow => (guest, flow))).Skip(offset).Take(limit).ToList();
            return (flows, guests.Sum(guest => guest.Attachment.FlowCount));
        });

    /// <summary>Has something done with the one guest that is called so.</summary>
    /// <exception cref="NoSuchGuestException">Nobody is, or more than one.</exception>
    public Task<T> WithAsync<T>(string name, Func<ServedGuest, T> work) => loop.PostAsync(() =>
    {
        List<ServedGuest> guests = Named([name]);
        return guests is [var one] ? work(one)
            : throw new NoSuchGuestException($"{guests.Count} guests are called \"{name}\"; give one's interface: {string.Join(", ", guests.Select(guest => guest.Interface))}");
    });

    /// <summary>Has something done by the loop.</summary>
    public void Post(Action work) => loop.Post(work);

    private List<ServedGuest> Named(IReadOnlyCollection<string> names)
    {
        IReadOnlyList<ServedGuest> all = served();
        if (names.FirstOrDefault(name => !all.Any(guest => guest.IsCalled(name))) is { } nobody)
            throw new NoSuchGuestException($"hyphanet serves nobody who is called \"{nobody}\"; give a container's name, its interface or its domain's number");
        return [.. all.Where(guest => names.Count == 0 || names.Any(guest.IsCalled)).OrderBy(guest => guest.Domain).ThenBy(guest => guest.Interface, StringComparer.Ordinal)];
    }
}

/// <summary>A name is nobody's, or not one's alone.</summary>
internal sealed class NoSuchGuestException(string message) : Exception(message);
