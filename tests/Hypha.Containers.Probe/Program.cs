// Guests' devices, consoles and ends against a real hypervisor, kernel and store: containers-probe KERNEL INITRD [CHECK]
// INITRD is what make-initrd.sh makes. Prints a line per check; the exit status is the number that failed.
using System.Diagnostics;
using Hypha.Containers.Devices;
using Hypha.Containers.Probe;

string kernel = args[0], initrd = args[1];
int failures = 0;

await Check("A guest finds its disks, reads them, and cannot write to them", "disks", async guest =>
{
    await guest.SeeAsync("PROBE hello");
    Equal("PROBE xvda the image's first line", await guest.SeeAsync("PROBE xvda "));
    Equal("PROBE xvdb the bundle's first line", await guest.SeeAsync("PROBE xvdb "));
    Equal("PROBE write refused", await guest.SeeAsync("PROBE write "));
    await guest.Disk.ConnectedAsync(guest.Store, guest.Id, default);
    Equal("the guest powered off", await guest.Ended.WaitAsync(TimeSpan.FromSeconds(60)));
    Equal("the image's first line", File.ReadLines(guest.Image).First());
});

await Check("A console goes on after who served it was restarted, in both directions", "echo", async guest =>
{
    await guest.SeeAsync("PROBE ready");
    for (int i = 0; i < 3; i++)
    {
        await guest.ReattachAsync();
        guest.Type($"word{i}\n");
        Equal($"PROBE heard word{i}", await guest.SeeAsync($"PROBE heard word{i}"));
    }
});

await Check("A guest that floods its console is read at its pace, into a bounded log", "flood", async guest =>
{
    await guest.SeeAsync("PROBE flooded");
});

await Check("A guest that crashes is told apart from one that powers off", "crash", async guest =>
{
    await guest.SeeAsync("PROBE crashing");
    Equal("the guest crashed", await guest.Ended.WaitAsync(TimeSpan.FromSeconds(60)));
});

await Check("A guest that is destroyed while it runs leaves nothing", "echo", async guest => await guest.SeeAsync("PROBE ready"));

return failures;

async Task Check(string name, string command, Func<Guest, Task> body)
{
    if (args.Length > 2 && args[2] != command)
        return;
    var clock = Stopwatch.StartNew();
    try
    {
        await using Guest guest = await Guest.StartAsync(kernel, initrd, command);
        await body(guest);
        string[] left = await guest.RemoveAsync();
        if (left.Length > 0)
            throw new InvalidOperationException("left behind: " + string.Join(", ", left));
        Console.WriteLine($"ok      {name} ({clock.Elapsed.TotalSeconds:F1} s)");
    }
    catch (Exception error)
    {
        failures++;
        Console.WriteLine($"FAILED  {name}: {error}");
    }
}

static void Equal(string expected, string seen)
{
    if (expected != seen)
        throw new InvalidOperationException($"expected \"{expected}\", saw \"{seen}\"");
}
