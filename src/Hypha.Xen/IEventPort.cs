namespace Hypha.Xen;

/// <summary>One end of a notification channel: an event channel, or two ends in one process in tests.</summary>
internal interface IEventPort : IDisposable
{
    /// <summary>Sends an event to the other end.</summary>
    void Notify();

    /// <summary>Sets what is called at each event; quick, and from any thread.</summary>
    void OnEvent(Action fired);

    /// <summary>Lets the next event through; called before waiting.</summary>
    void Arm();
}
