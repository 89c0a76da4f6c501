using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl completion</c>: scripts that ask hyphactl itself what may follow, container names included.</summary>
internal static class CompletionCommand
{
    // The parser library's own directive: [suggest:POSITION] and the line as typed; one suggestion a line comes back.
    private const string Bash = """
        # bash completion of hyphactl. Use: source <(hyphactl completion bash)
        _hyphactl() {
          local suggestions
          suggestions=$(hyphactl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$suggestions" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _hyphactl hyphactl
        """;

    private const string Zsh = """
        #compdef hyphactl
        # zsh completion of hyphactl. Use: source <(hyphactl completion zsh)
        _hyphactl() {
          local -a suggestions
          suggestions=("${(@f)$(hyphactl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          if (( ${#suggestions} )) && [[ -n ${suggestions[1]} ]]; then compadd -a suggestions; else _files; fi
        }
        compdef _hyphactl hyphactl
        """;

    private const string Fish = """
        # fish completion of hyphactl. Use: hyphactl completion fish | source
        complete -c hyphactl -a '(hyphactl "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
        """;

    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints a completion script for your shell.") { shell };
        command.SetAction(result => StandardText.Out.WriteLine(result.GetValue(shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            _ => Fish,
        }));
        return HelpWithExamples.Add(command, """
            source <(hyphactl completion bash)
            hyphactl completion bash > /usr/share/bash-completion/completions/hyphactl
            """);
    }
}
