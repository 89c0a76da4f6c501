using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;

// Without a termination timeout the library handles no signals: they belong to the commands that stream.
var invocation = new InvocationConfiguration
{
    EnableDefaultExceptionHandler = false,
    ProcessTerminationTimeout = null,
    Output = StandardText.Out,
    Error = StandardText.Error,
};
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
