using Hypha.Protocol.Guest;

namespace Hypha.Guest.Tests.Vm;

/// <summary>One boot a test, so each looks at all that belongs together.</summary>
public sealed class GuestTests
{
    [Fact]
    public async Task A_container_runs_its_streams_apart_and_reports_its_status_before_the_guest_powers_off()
    {
        await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell("echo out; echo err >&2; exit 7"));
        Assert.Equal("out\n", await vm.Output());
        Assert.Equal("err\n", await vm.ErrorOutput());
        Assert.Equal(7u, (await vm.Wait()).ExitCode);
        await vm.Release();
    }

    [Fact]
    public async Task A_container_sees_what_docker_would_show_it()
    {
        const string script = """
            echo "pid $$"; hostname; pwd; echo "home $HOME"; id
            cat /etc/hosts /etc/resolv.conf
            cat /proc/self/cgroup
            mount | tr ' ' '_'
            stat -c '%n %a %t,%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
            stat -c '%n %a' /dev/shm /dev/pts /tmp
            for link in fd stdin stdout stderr ptmx; do readlink /dev/$link; done
            ifconfig lo | grep -c 127.0.0.1
            echo x > /written && cat /written
            echo x > /proc/sys/kernel/hostname || echo 'proc/sys is read-only'
            touch /sys/x || echo 'sys is read-only'
            wc -c < /proc/kcore
            echo "nofile $(ulimit -n)"
            echo "proactive compaction $(cat /proc/sys/vm/compaction_proactiveness)"
            ls /run | wc -l; ls / | tr '\n' ' '
            """;
        await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell(script), bundle =>
        {
            bundle.Files.Add(new Protocol.Guest.File { Path = "/etc/hosts", Content = Google.Protobuf.ByteString.CopyFromUtf8("127.0.0.1 localhost\n"), Mode = 0x1A4 });
            bundle.Files.Add(new Protocol.Guest.File { Path = "/etc/resolv.conf", Content = Google.Protobuf.ByteString.CopyFromUtf8("nameserver 10.9.8.7\n"), Mode = 0x1A4 });
            bundle.Process.Cwd = "/made/when/missing";
        });
        string text = await vm.Output() + await vm.ErrorOutput();
        Assert.All((string[])
        [
            "pid 1\n", "\nguest\n", "\n/made/when/missing\n", "\nhome /root\n", "uid=0(root) gid=0(root)", "127.0.0.1 localhost\nnameserver 10.9.8.7\n",
            "\n0::/\n", "proc_on_/proc_type_proc_(rw,nosuid,nodev,noexec,relatime)", "_on_/sys_type_sysfs_(ro,nosuid,nodev,noexec", "_on_/dev_type_tmpfs_(rw,nosuid",
            "_on_/dev/pts_type_devpts_(rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666)", "_on_/dev/shm_type_tmpfs_(rw,nosuid,nodev,noexec",
            "_on_/dev/mqueue_type_mqueue_(rw,nosuid,nodev,noexec", "_on_/sys/fs/cgroup_type_cgroup2_(rw,nosuid,nodev,noexec",
            "/dev/null 666 1,3\n/dev/zero 666 1,5\n/dev/full 666 1,7\n/dev/random 666 1,8\n/dev/urandom 666 1,9\n/dev/tty 666 5,0\n",
            "/dev/shm 1777\n/dev/pts 755\n", "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n",
            "\nx\n", "proc/sys is read-only", "sys is read-only", "nofile 1048576", "proactive compaction 0\n",
        ], line => Assert.Contains(line, text));
        Assert.Equal(0u, (await vm.Wait()).ExitCode);
        await vm.Release();
    }

    [Fact]
    public async Task A_user_gets_its_groups_its_home_and_no_more_rights()
    {
        Process process = GuestVm.Shell("id; echo $HOME; pwd; touch /etc/x; echo $?; grep Cap /proc/self/status");
        process.User = "web";
        process.Cwd = "/home/web";
        process.AdditionalGroups.Add("extra");
        await using GuestVm vm = await GuestVm.Boot(process);
        string text = await vm.Output();
        Assert.StartsWith("uid=33(web) gid=44(web) groups=44(web),50(video),60(extra)\n/home/web\n/home/web\n1\n", text.Replace(" groups=50", " groups=44(web),50"));
        Assert.Contains("CapEff:\t0000000000000000", text);
        await vm.Release();
    }

    [Theory]
    [InlineData("nothing-here", 127u, "exec: \"nothing-here\": executable file not found in $PATH")]
    [InlineData("/bin/nothing", 127u, "exec: \"/bin/nothing\": no such file or directory")]
    [InlineData("plain", 126u, "exec: \"/bin/plain\": permission denied")]
    [InlineData("/etc", 126u, "exec: \"/etc\": permission denied")]
    [InlineData("/bin/garbage", 126u, "exec: \"/bin/garbage\": exec format error")]
    [InlineData("/bin/lost", 127u, "exec: \"/bin/lost\": the interpreter that it names is not in the image")]
    public async Task A_command_that_cannot_be_run_is_reported_as_docker_does(string command, uint code, string message)
    {
        await using GuestVm vm = await GuestVm.Boot(new Process { Args = { command } });
        WaitResponse result = await vm.Wait();
        Assert.Equal((code, message), (result.Failure?.ExitCode, result.Failure?.Message));
        Assert.Equal("", await vm.Output());
        await vm.Release();
    }

    [Fact]
    public async Task A_user_that_the_image_lacks_fails_before_the_start()
    {
        Process process = GuestVm.Shell("true");
        process.User = "nobody-here";
        await using GuestVm vm = await GuestVm.Boot(process);
        StartFailure failure = (await vm.Wait()).Failure;
        Assert.Equal(125u, failure.ExitCode);
        Assert.Contains("no user \"nobody-here\"", failure.Message);
        await vm.Release();
    }

    [Fact]
    public async Task A_terminal_is_the_controlling_one_with_its_size_and_follows_a_resize()
    {
        Process process = GuestVm.Shell("tty; stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.1; done");
        (process.Terminal, process.OpenStdin, process.Columns, process.Rows) = (true, true, 100, 30);
        await using GuestVm vm = await GuestVm.Boot(process);
        string first = await vm.Output(until: "ready");
        Assert.Contains("/dev/pts/0\r\n30 100\r\n", first);
        await vm.Call("Resize", new ResizeRequest { Columns = 120, Rows = 40 }, ResizeResponse.Parser);
        Assert.Contains("40 120", await vm.Output());
        Assert.Equal(3u, (await vm.Wait()).ExitCode);
        await vm.Release();
    }

    [Fact]
    public async Task Control_c_at_the_terminal_interrupts_the_foreground()
    {
        // Whether the key comes during a sleep or before it, the shell is in the foreground, too.
        Process process = GuestVm.Shell("trap 'echo interrupted; exit 130' INT; echo ready; while :; do sleep 0.1; done");
        (process.Terminal, process.OpenStdin) = (true, true);
        await using GuestVm vm = await GuestVm.Boot(process);
        await vm.Output(until: "ready");
        await vm.Input("\u0003");
        Assert.Contains("^Cinterrupted", await vm.Output());
        Assert.Equal(130u, (await vm.Wait()).ExitCode);
        await vm.Release();
    }

    [Fact]
    public async Task Input_reaches_the_container_and_its_end_too()
    {
        Process process = new() { Args = { "cat" }, OpenStdin = true };
        await using GuestVm vm = await GuestVm.Boot(process);
        await vm.Input("hello\n");
        Assert.Equal("hello\n", await vm.Output(until: "\n"));
        await vm.Input("end\n");
        await vm.Call("CloseInput", new CloseInputRequest(), CloseInputResponse.Parser);
        Assert.Equal("end\n", await vm.Output());
        Assert.Equal(0u, (await vm.Wait()).ExitCode);
        await vm.Release();
    }

    [Fact]
    public async Task A_signal_ends_the_container_and_all_of_its_processes()
    {
        await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell("sleep 1000 & echo ready; wait"));
        string before = await vm.Output(until: "ready");
        Assert.True((await vm.Call("Signal", new SignalRequest { Signal = 9 }, SignalResponse.Parser)).Delivered);
        Assert.Equal(9u, (await vm.Wait()).Signal);
        Assert.Equal("ready\n", before + await vm.Output()); // ends, though the sleeping child held the pipe
        Assert.False((await vm.Call("Signal", new SignalRequest { Signal = 9 }, SignalResponse.Parser)).Delivered);
        await vm.Release();
    }

    [Fact]
    public async Task Output_that_nobody_takes_holds_back_the_container_and_is_not_lost()
    {
        // 3 MB, twelve times the buffer.
        await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell("seq 1 450000"));
        string text = await vm.Output();
        Assert.Equal(string.Concat(Enumerable.Range(1, 450000).Select(i => $"{i}\n")), text);
        Assert.Equal(0u, (await vm.Wait()).ExitCode);
        await vm.Release();
    }

    [Fact]
    public async Task A_read_only_root_takes_no_writes()
    {
        await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell("touch /x; echo $?; echo x > /dev/shm/x; cat /dev/shm/x"), bundle => bundle.Root.ReadOnly = true);
        Assert.Equal("1\nx\n", await vm.Output());
        Assert.Contains("Read-only file system", await vm.ErrorOutput());
        await vm.Release();
    }

    [Fact]
    public async Task An_image_that_is_none_fails_with_its_reason()
    {
        string junk = Path.GetTempFileName();
        try
        {
            await System.IO.File.WriteAllBytesAsync(junk, new byte[1 << 20]);
            await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell("true"), image: junk);
            StartFailure failure = (await vm.Wait()).Failure;
            Assert.Equal(125u, failure.ExitCode);
            Assert.StartsWith("the image cannot be mounted: mounting squashfs (/dev/vda)", failure.Message);
            await vm.Release();
        }
        finally
        {
            System.IO.File.Delete(junk);
        }
    }

    [Fact]
    public async Task An_idle_container_costs_no_wake_ups_and_its_init_stays_within_its_memory()
    {
        // Output first, so that whatever a busy agent starts is there; then the thread pool's threads go, 20 s after their last work.
        await using GuestVm vm = await GuestVm.Boot(GuestVm.Shell("seq 1 200000; echo ready; sleep 1000"));
        await vm.Output(until: "ready");
        await Task.Delay(TimeSpan.FromSeconds(30));
        // The calls' own switches are in both; a minute may not cost more than a moment, but for what a busy host adds to a call.
        long start = await Switches();
        await Task.Delay(TimeSpan.FromSeconds(5));
        long moment = await Switches() - start;
        await Task.Delay(TimeSpan.FromSeconds(60));
        long minute = await Switches() - start - moment;
        Assert.InRange(minute, 0, moment + 3);
        Assert.InRange(Figure(vm.Console, @"resident (\d+) KiB"), 1, 12 * 1024);
        TestContext.Current.TestOutputHelper?.WriteLine($"switches: {moment} in 5 s and a call, {minute} in 60 s and a call");
        await vm.Release();

        async Task<long> Switches()
        {
            await vm.Call("Hello", new HelloRequest { Version = 1 }, HelloResponse.Parser);
            return Figure(vm.Console, @"(\d+) context switches");
        }
    }

    private static long Figure(string console, string pattern) =>
        long.Parse(System.Text.RegularExpressions.Regex.Matches(console, pattern)[^1].Groups[1].Value);
}
