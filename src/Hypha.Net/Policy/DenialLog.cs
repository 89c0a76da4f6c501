using System.Text;
using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>
/// A line for each flow that is denied, and each name that is refused: the same once a minute, and ten of all in a minute. What was left out is
/// counted, and said a minute later at most.
/// </summary>
internal sealed class DenialLog(TimerWheel timers, Action<string> log) : Loop.Timer
{
    public const int Most = 10;
    public const long Time = 60 * MonotonicClock.Second;

    // All that was said within the time, as no more may be; the oldest is where the next goes.
    private readonly (Denial Denial, long Until)[] _said = new (Denial, long)[Most];
    private int _oldest;
    private ulong _leftOut;

    public void Add(in Denial denial, long now)
    {
        if (MaySay(denial, now))
            log(denial.ToString());
    }

    /// <param name="name">As in a message.</param>
    public void AddName(ReadOnlySpan<byte> name, long now)
    {
        // Known again by its hash: no flow is from nobody.
        var hash = new HashCode();
        hash.AddBytes(name);
        if (MaySay(new Denial(In: false, default, default, new IpAddress(0, (uint)hash.ToHashCode()), 0), now))
            log($"refused the name {Text(name)}");
    }

    public void Close() => timers.Clear(this);

    protected internal override void Expire(long now)
    {
        log($"denied {_leftOut} more in the last minute, of other flows");
        _leftOut = 0;
    }

    private bool MaySay(in Denial denial, long now)
    {
        foreach (ref readonly (Denial Denial, long Until) said in _said.AsSpan())
        {
            if (now < said.Until && said.Denial == denial)
                return false;
        }
        ref (Denial Denial, long Until) oldest = ref _said[_oldest];
        if (now < oldest.Until)
        {
            if (_leftOut++ == 0)
                timers.Set(this, now + Time);
            return false;
        }
        oldest = (denial, now + Time);
        _oldest = (_oldest + 1) % Most;
        return true;
    }

    /// <summary>A guest chose it: what is no plain letter is "?".</summary>
    private static string Text(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        for (; name.Length > 0 && name[0] > 0; name = name[(1 + name[0])..])
        {
            text.Append(text.Length > 0 ? "." : "");
            foreach (byte letter in name.Slice(1, name[0]))
                text.Append(letter is > 0x20 and < 0x7F ? (char)letter : '?');
        }
        return text.ToString();
    }
}
