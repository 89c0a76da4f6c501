using Hypha.Containers.Launch;
using Hypha.Oci;

namespace Hypha.Containers.Tests;

/// <summary>docker's rules, as its documentation of ENTRYPOINT, CMD and `docker run` gives them.</summary>
public sealed class ProcessPlanTests
{
    private static readonly ImageConfig Image = new()
    {
        Entrypoint = ["/entry", "-x"],
        Cmd = ["serve"],
        Env = ["PATH=/opt/bin:/bin", "A=image", "malformed"],
        WorkingDir = "/srv",
        User = "www:www",
    };

    private static readonly LaunchOptions Plain = new() { Image = "web" };

    [Theory]
    [InlineData(null, "", "/entry -x serve")]
    [InlineData(null, "ls -l", "/entry -x ls -l")]
    [InlineData("/bin/sh", "", "/bin/sh")]
    [InlineData("/bin/sh", "-c true", "/bin/sh -c true")]
    [InlineData("", "ls -l", "ls -l")]
    public void Entrypoint_and_command_combine_as_in_docker(string? entrypoint, string command, string expected)
    {
        var options = Plain with { Entrypoint = entrypoint, Command = command.Split(' ', StringSplitOptions.RemoveEmptyEntries) };
        Assert.Equal(expected, string.Join(' ', ProcessPlan.Make(Image, options, "host").Args));
    }

    [Fact]
    public void No_command_anywhere_is_refused()
    {
        var error = Assert.Throws<ContainerException>(() => ProcessPlan.Make(new ImageConfig(), Plain, "host"));
        Assert.Equal(ContainerError.InvalidArgument, error.Error);
        Assert.Throws<ContainerException>(() => ProcessPlan.Make(Image, Plain with { Entrypoint = "" }, "host"));
    }

    [Fact]
    public void The_environment_is_defaults_then_image_then_user()
    {
        var process = ProcessPlan.Make(Image, Plain with { Environment = ["A=user", "B=1"], Terminal = true, Term = "xterm-256color" }, "host");
        Assert.Equal(["PATH=/opt/bin:/bin", "HOSTNAME=host", "TERM=xterm-256color", "A=user", "B=1"], process.Env);
    }

    [Fact]
    public void Without_a_terminal_there_is_no_TERM_and_PATH_has_dockers_default()
    {
        var process = ProcessPlan.Make(new ImageConfig { Cmd = ["sh"] }, Plain, "host");
        Assert.Equal(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=host"], process.Env);
    }

    [Fact]
    public void Options_win_over_the_image()
    {
        var image = ProcessPlan.Make(Image, Plain, "host");
        Assert.Equal(("/srv", "www:www"), (image.Cwd, image.User));
        var user = ProcessPlan.Make(Image, Plain with { WorkingDirectory = "/tmp", User = "0" }, "host");
        Assert.Equal(("/tmp", "0"), (user.Cwd, user.User));
    }

    [Theory]
    [InlineData(0, 512, "vCPUs")]
    [InlineData(1000, 512, "vCPUs")]
    [InlineData(1, 15, "MiB")]
    [InlineData(1, long.MaxValue, "MiB")]
    public void Sizes_that_no_guest_can_have_are_refused_with_the_bounds(int vcpus, long memory, string named)
    {
        var error = Assert.Throws<ContainerException>(() => (Plain with { VCpus = vcpus, MemoryMiB = memory }).Check());
        Assert.Equal(ContainerError.InvalidArgument, error.Error);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("=x")]
    [InlineData("novalue")]
    [InlineData("A=\0")]
    public void A_malformed_variable_is_refused(string variable) =>
        Assert.Throws<ContainerException>(() => (Plain with { Environment = [variable] }).Check());

    [Fact]
    public void A_relative_working_directory_is_refused() =>
        Assert.Throws<ContainerException>(() => (Plain with { WorkingDirectory = "srv" }).Check());
}
