using Hypha.Guest;
using Hypha.Guest.Processes;

if (args is [StageProcess.Argument])
    return StageProcess.Run();

if (Environment.ProcessId != 1)
{
    Console.Error.WriteLine("hyphactr is the init of Hypha's guests: it runs as process 1 of a virtual machine. To launch a container use hyphactl launch.");
    return 2;
}

GuestInit.Run();
return 0;
