using Hypha.Guest.Processes;

namespace Hypha.Guest.Tests;

// The cases of moby/sys user.GetExecUser, which docker resolves users with.
public sealed class IdentityTests
{
    private const string Passwd = "root:x:0:0:root user:/root:/bin/bash\n# a comment\n\nadm:x:42:43:adm:/var/adm:/bin/false\n111:x:222:333::/digits\nodd:x:77\nbig:x:4294967296:0::/big:/bin/sh\nhomeless:x:90:91:::/bin/sh\n";
    private const string Group = "root:x:0:root\nadm:x:43:\ngrp:x:1234:root,adm\n444:x:555:\nadm-too:x:1111:adm\nnonsense\n";

    private static Identity Resolve(string spec, params string[] additional) => Identity.Resolve(spec, additional, Passwd, Group);

    [Theory]
    [InlineData("", 0, 0, "0,1234", "/root")]
    [InlineData("root", 0, 0, "0,1234", "/root")]
    [InlineData("0", 0, 0, "0,1234", "/root")]
    [InlineData("adm", 42, 43, "1234,1111", "/var/adm")]
    [InlineData("42", 42, 43, "1234,1111", "/var/adm")]
    [InlineData("adm:grp", 42, 1234, "", "/var/adm")]
    [InlineData("adm:1234", 42, 1234, "", "/var/adm")]
    [InlineData("adm:99999", 42, 99999, "", "/var/adm")]
    [InlineData("1337", 1337, 0, "", "/")]
    [InlineData("1337:grp", 1337, 1234, "", "/")]
    [InlineData("111", 111, 0, "", "/")] // a number is an id, whoever has it as a name
    [InlineData("222", 222, 333, "", "/digits")]
    [InlineData("root:444", 0, 444, "", "/root")]
    [InlineData(":grp", 0, 1234, "", "/root")]
    [InlineData("homeless", 90, 91, "", "/")]
    public void A_user_is_who_docker_says_it_is(string spec, uint uid, uint gid, string additional, string home)
    {
        Identity identity = Resolve(spec);
        Assert.Equal((uid, gid, additional, home), (identity.Uid, identity.Gid, string.Join(',', identity.AdditionalGroups), identity.Home));
    }

    [Theory]
    [InlineData("nobody", "no user \"nobody\"")]
    [InlineData("adm:nobody", "no group \"nobody\"")]
    [InlineData("-1", "no user \"-1\"")]
    [InlineData("2147483648", "no user \"2147483648\"")] // CVE-2024-40635
    [InlineData("4294967296", "no user \"4294967296\"")]
    [InlineData("0:2147483648", "no group \"2147483648\"")]
    [InlineData("odd", "no user \"odd\"")]
    [InlineData("big", "no user \"big\"")]
    public void A_user_that_is_nobody_is_refused_by_name(string spec, string message)
    {
        var e = Assert.Throws<StartException>(() => Resolve(spec));
        Assert.Equal(125u, e.ExitCode);
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void Additional_groups_are_names_or_numbers_and_come_once() =>
        Assert.Equal([1234u, 1111u, 43u, 7u], Resolve("adm", "adm", "grp", "7").AdditionalGroups);

    [Fact]
    public void An_image_without_accounts_has_root_and_numbers()
    {
        Identity root = Identity.Resolve("", [], "", "");
        Assert.Equal((0u, 0u, "/"), (root.Uid, root.Gid, root.Home));
        Identity user = Identity.Resolve("5:6", [], "", "");
        Assert.Equal((5u, 6u, "/"), (user.Uid, user.Gid, user.Home));
    }
}
