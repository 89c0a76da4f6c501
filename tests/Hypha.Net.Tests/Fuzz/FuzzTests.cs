using System.Diagnostics;
using System.Globalization;

namespace Hypha.Net.Tests.Fuzz;

/// <summary>
/// Mutations of good bytes. The same seeds each time; HYPHA_FUZZ_SECONDS=N goes on with others for so long, each target alike, and HYPHA_FUZZ_SEED says where
/// to begin. What fails names its seed and bytes: they become an entry of the corpus, or a test of their own.
/// </summary>
[Collection<WholeMemory>]
public sealed class FuzzTests
{
    private const int ParserRuns = 5_000, Guests = 25;

    private static readonly int s_seconds = Number("HYPHA_FUZZ_SECONDS"), s_seed = Number("HYPHA_FUZZ_SEED");

    public static TheoryData<string> Parsers => [.. ParserTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Parsers))]
    public void No_bytes_throw_in_a_parser(string name)
    {
        var mutator = new Mutator(Corpus.Read(name));
        Action<byte[]> parse = ParserTargets.All[name];
        Run(ParserRuns, s_seconds / (2 * ParserTargets.All.Count), seed =>
        {
            byte[] bytes = mutator.Next(new Random(seed));
            try
            {
                parse(bytes);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"{name}, seed {seed}, {Convert.ToHexString(bytes)}: {error.Message}", error);
            }
        });
    }

    [Fact]
    public void No_frames_throw_grow_or_lead_to_frames_that_are_wrong() => Namespace.Run(() =>
    {
        using var guest = new GuestUnderFire();
        guest.Run(s_seed); // whatever is made once
        long before = GC.GetTotalMemory(forceFullCollection: true);
        int guests = Run(Guests, s_seconds / 2, guest.Run);
        TestContext.Current.SendDiagnosticMessage($"{guests} guests, {guest.Sent} frames left, {guest.ToGroups} to groups");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 8 << 20);
        Assert.True(guest.Sent > guests && guest.ToGroups > 0, "hardly anything left: the frames are not good enough to be answered");
    });

    private static int Run(int fewest, int seconds, Action<int> one)
    {
        long start = Stopwatch.GetTimestamp();
        int runs = 0;
        while (runs < fewest || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
            one(s_seed + runs++);
        return runs;
    }

    private static int Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
