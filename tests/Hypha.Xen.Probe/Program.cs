// Checks of Hypha.Xen against a real hypervisor: run as root in dom0, prints a line per check, exits with the number that failed.
using Hypha.Xen.Probe;

if (args is ["--serve"])
{
    await VchanChecks.ServeUntilKilled();
    return 0;
}

int failures = 0;
foreach (Check check in Check.All)
{
    if (args.Length > 0 && !args.Any(check.Name.Contains))
        continue;
    try
    {
        await check.Run();
        Console.WriteLine($"ok      {check.Name}");
    }
    catch (Exception e)
    {
        failures++;
        Console.WriteLine($"FAILED  {check.Name}: {e}");
    }
}

return failures;
