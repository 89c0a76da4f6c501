using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

public class WordTests
{
    [Theory]
    [InlineData("512", 512)]
    [InlineData("512M", 512)]
    [InlineData("512mib", 512)]
    [InlineData("2G", 2048)]
    [InlineData("1t", 1048576)]
    [InlineData("4096k", 4)]
    public void A_memory_size_is_MiB(string text, ulong expected)
    {
        Assert.True(MemorySize.TryParse(text, out ulong mebibytes));
        Assert.Equal(expected, mebibytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5G")]
    [InlineData("M")]
    [InlineData("512X")]
    [InlineData("1k")]
    [InlineData("18446744073709551615T")]
    [InlineData("99999999999999999999")]
    public void What_is_no_memory_size_is_refused(string text) => Assert.False(MemorySize.TryParse(text, out _));

    [Fact]
    public void An_env_file_has_comments_and_the_command_line_comes_after_it()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "# comment\n\nA=1\n  B= two words \nHOME\nUNSET\n");
        string[] words = [.. EnvironmentWords.Collect([file], ["A=2", "HOME", "UNSET"], name => name == "HOME" ? "/root" : null)];
        File.Delete(file);
        Assert.Equal(["A=1", "B= two words ", "HOME=/root", "A=2", "HOME=/root"], words);
    }

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("sigterm", 15)]
    [InlineData("SYS", 31)]
    [InlineData("64", 64)]
    public void A_signal_has_a_name_or_a_number(string text, uint expected)
    {
        Assert.True(SignalName.TryParse(text, out uint signal));
        Assert.Equal(expected, signal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("SIG")]
    [InlineData("NOPE")]
    public void What_is_no_signal_is_refused(string text) => Assert.False(SignalName.TryParse(text, out _));

    [Theory]
    [InlineData(0.4, "less than a second")]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(60, "1 minute")]
    [InlineData(7199, "1 hour")]
    [InlineData(100_000, "27 hours")]
    [InlineData(200_000, "2 days")]
    public void A_span_is_said_in_one_unit(double seconds, string expected) => Assert.Equal(expected, Amounts.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Lines_of_progress_are_few_and_none_for_what_is_quick()
    {
        var output = new StringWriter { NewLine = "\n" };
        var time = new ManualTime();
        var progress = new LineProgress(output, time);
        void Report(double seconds, string step, ulong done)
        {
            time.Now = TimeSpan.FromSeconds(seconds);
            progress.Report(new Progress { Step = step, Detail = "web", Done = done << 20, Total = done == 0 ? 0u : 40 << 20 });
        }

        Report(0.1, "download", 1);   // quick so far
        Report(1.5, "download", 5);
        Report(3, "download", 10);    // too soon
        Report(7, "download", 20);
        Report(7.1, "pack", 1);       // another step
        Report(20, "build", 0);       // no bytes
        Assert.Equal("download web: 5.0 MiB of 40.0 MiB\ndownload web: 20.0 MiB of 40.0 MiB\npack web: 1.0 MiB of 40.0 MiB\n", output.ToString());
    }

    private sealed class ManualTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
