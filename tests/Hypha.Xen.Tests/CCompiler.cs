using System.Diagnostics;

namespace Hypha.Xen.Tests;

/// <summary>What a C compiler makes of Xen's and Linux's public headers (Debian's libxen-dev and linux-libc-dev): the witness for layouts.</summary>
internal static class CCompiler
{
    // domctl.h and sysctl.h are for tools; Linux's headers about Xen want Xen's types from a place that only the kernel has.
    private const string Prologue = """
        #define __XEN_TOOLS__ 1
        #define __XEN_INTERFACE_VERSION__ 0x00041100
        #include <stdint.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <xen/xen.h>
        #include <xen/domctl.h>
        #include <xen/sysctl.h>
        #include <xen/memory.h>
        #include <xen/event_channel.h>
        #include <xen/grant_table.h>
        #include <xen/sched.h>
        #include <xen/version.h>
        #include <xen/io/console.h>
        #include <xen/io/libxenvchan.h>
        #include <sys/ioctl.h>
        #include <xen/privcmd.h>
        #include <xen/evtchn.h>
        #include <xen/gntdev.h>
        #include <xen/gntalloc.h>

        """;

    /// <summary>The values of C expressions, in their order.</summary>
    internal static ulong[] Evaluate(IEnumerable<string> expressions, string declarations = "")
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("hypha-layout");
        try
        {
            string source = Path.Combine(directory.FullName, "layout.c"), program = Path.Combine(directory.FullName, "layout");
            Directory.CreateDirectory(Path.Combine(directory.FullName, "xen/interface"));
            File.WriteAllText(Path.Combine(directory.FullName, "xen/interface/xen.h"), "#include <xen/xen.h>\n");
            File.WriteAllText(source, Prologue + declarations + "\nint main(void)\n{\n"
                + string.Concat(expressions.Select(e => $"    printf(\"%lu\\n\", (unsigned long)({e}));\n")) + "    return 0;\n}\n");
            Run("gcc", "-I", directory.FullName, "-o", program, source);
            return [.. Run(program).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ulong.Parse)];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string Run(string file, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException($"{file} does not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }
}
