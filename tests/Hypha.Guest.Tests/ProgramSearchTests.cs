using Hypha.Guest.Processes;
using Hypha.Guest.Start;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Tests;

public sealed class ProgramSearchTests
{
    [Theory]
    [InlineData("sh", "PATH=/usr/bin:/bin", "/usr/bin/sh /bin/sh")]
    [InlineData("/x/sh", "PATH=/usr/bin", "/x/sh")]
    [InlineData("./sh", "PATH=/usr/bin", "./sh")]
    [InlineData("sh", "PATH=:/bin", "./sh /bin/sh")]
    [InlineData("", "PATH=/bin", "")]
    [InlineData("sh", "PATHX=/bin", "./sh")]
    public void Candidates_come_in_the_order_of_path(string name, string path, string expected) =>
        Assert.Equal(expected, string.Join(' ', ProgramSearch.Candidates(name, [path])));

    [Fact]
    public void The_last_of_several_paths_counts() => Assert.Equal(["/b/sh"], ProgramSearch.Candidates("sh", ["PATH=/a", "PATH=/b"]));

    [Fact]
    public void Limits_have_their_numbers_and_an_unknown_one_its_sentence()
    {
        StageLimit core = Assert.Single(ResourceLimits.Resolve([new ResourceLimit { Name = "core", Soft = 1, Hard = 2 }]), limit => limit.Resource == 4);
        Assert.Equal((1ul, 2ul), (core.Soft, core.Hard));
        Assert.Contains("no resource limit \"files\"", Assert.Throws<StartException>(() => ResourceLimits.Resolve([new ResourceLimit { Name = "files" }])).Message);
    }

    [Fact]
    public void The_command_line_names_other_devices_than_xens()
    {
        Assert.Equal(new BootOptions("/dev/xvdb", null), BootOptions.Parse("console=hvc0 quiet\n"));
        Assert.Equal(new BootOptions("/dev/vdb", "/dev/vport0p1"), BootOptions.Parse("quiet hypha.bundle=/dev/vdb hypha.channel=/dev/vport0p1\n"));
    }
}
