using System.CommandLine;
using Hypha.Linux;
using Hypha.NetworkDaemon;
using Hypha.NetworkDaemon.Control;
using Hypha.NetworkDaemon.Metrics;

// Without a termination timeout the library handles no signals: the loop does.
var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
var root = new RootCommand("hyphanet: the guests' network in user space. Without a command: serves all guests of this Xen host.") { AttachCommand.Build() };
var control = new Option<string>("--control")
{
    Description = "the unix socket on which it says what it does",
    HelpName = "PATH",
    DefaultValueFactory = _ => ControlSocket.DefaultPath,
};
var metrics = MetricsOption.New();
root.Options.Add(control);
root.Options.Add(metrics);
root.SetAction(result => Daemon.Run(result.GetValue(control)!, result.GetValue(metrics)));
var result = root.Parse(args);
if (result.Errors.Count > 0 && result.Action is not { ClearsParseErrors: true })
{
    foreach (string message in result.Errors.Select(error => error.Message).Distinct())
        Console.Error.WriteLine($"hyphanet: {message.TrimEnd('.')}");
    Console.Error.WriteLine("See: hyphanet --help");
    return 2;
}
try
{
    CallingProcess.RaiseOpenFiles(); // a socket for each flow
    return result.Invoke(invocation);
}
catch (Exception error) when (error is LinuxException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"hyphanet: {error.Message}");
    return 1;
}
