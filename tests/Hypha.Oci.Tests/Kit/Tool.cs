using System.Diagnostics;
using System.Text;

namespace Hypha.Oci.Tests.Kit;

/// <summary>Runs a program and hands back what it writes; a status other than 0 fails the test.</summary>
internal static class Tool
{
    public static string Run(string program, params string[] arguments) => Encoding.Latin1.GetString(Run(program, [], arguments));

    public static byte[] Run(string program, byte[] input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task feeding = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        feeding.Wait();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} exits with {process.ExitCode}: {errors.Result}");
        return output.ToArray();
    }
}
