using System.CommandLine;
using Hypha.Ctl.CommandLine;

// Nobody is told to install a handler by the library: signals belong to the commands that stream.
var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
// A word that begins with "@" is an image or an argument, never a file of arguments.
var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null };

var result = CommandTree.Build().Parse(args, parsing);
bool debug = CommandTree.IsDebug(result);
try
{
    return UsageErrors.Report(result) ?? await result.InvokeAsync(invocation).ConfigureAwait(false);
}
catch (Exception error)
{
    return Failures.Report(error, debug);
}
