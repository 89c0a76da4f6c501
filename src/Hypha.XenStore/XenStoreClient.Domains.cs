using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>What the store must know of domains (misc/xenstore.txt, "Domain management and xenstored communications"). For dom0 alone.</summary>
public sealed partial class XenStoreClient
{
    /// <summary>Tells the store to serve a new domain.</summary>
    /// <param name="frame">The page that holds the domain's ring: for a PV guest the machine's number of it.</param>
    /// <param name="port">The domain's unbound end of the event channel.</param>
    public Task IntroduceAsync(int domain, ulong frame, uint port, CancellationToken cancellation = default) =>
        AskAsync(MessageType.Introduce, Payload.Strings(domain.ToString(), frame.ToString(), port.ToString()),
            $"introducing domain {domain} to the xenstore", cancellation);

    /// <summary>Tells the store that a domain is gone.</summary>
    public Task ReleaseAsync(int domain, CancellationToken cancellation = default) =>
        AskAsync(MessageType.Release, Payload.Strings(domain.ToString()), $"releasing domain {domain} from the xenstore", cancellation);

    public async Task<StorePath> GetDomainPathAsync(int domain, CancellationToken cancellation = default)
    {
        string what = $"asking for the path of domain {domain}";
        string text = Payload.First(await AskAsync(MessageType.GetDomainPath, Payload.Strings(domain.ToString()), what, cancellation).ConfigureAwait(false));
        return StorePath.TryParse(text, out StorePath path, out string? reason) ? path : throw StoreException.BadAnswer(what, reason!);
    }

    public async Task<bool> IsIntroducedAsync(int domain, CancellationToken cancellation = default)
    {
        string what = $"asking whether domain {domain} is introduced";
        string text = Payload.First(await AskAsync(MessageType.IsDomainIntroduced, Payload.Strings(domain.ToString()), what, cancellation).ConfigureAwait(false));
        return text is "T" or "F" ? text == "T" : throw StoreException.BadAnswer(what, $"\"{StoreValue.Printable(text)}\"");
    }

    /// <summary>After a domain that had shut down goes on: its next end shall be told again.</summary>
    public Task ResumeAsync(int domain, CancellationToken cancellation = default) =>
        AskAsync(MessageType.Resume, Payload.Strings(domain.ToString()), $"resuming domain {domain} in the xenstore", cancellation);

    /// <summary>Gives <paramref name="domain"/> all rights of <paramref name="target"/>.</summary>
    public Task SetTargetAsync(int domain, int target, CancellationToken cancellation = default) =>
        AskAsync(MessageType.SetTarget, Payload.Strings(domain.ToString(), target.ToString()), $"making domain {target} the target of domain {domain}", cancellation);

    /// <summary>Removes all watches and transactions that this connection's domain left behind, those of a kernel that ran before included.</summary>
    public Task ResetWatchesAsync(CancellationToken cancellation = default) =>
        AskAsync(MessageType.ResetWatches, Payload.Strings(""), "resetting the watches", cancellation);
}
