namespace Hypha.Net.Tests.Fuzz;

/// <summary>What fuzzing begins with: corpus/NAME.hex. Entries are hexadecimal digits with blank lines between; "#" begins a comment.</summary>
internal static class Corpus
{
    public static byte[][] Read(string name)
    {
        var entries = new List<byte[]>();
        var digits = new System.Text.StringBuilder();
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Fuzz/corpus", name + ".hex")).Append(""))
        {
            string text = line.Split('#')[0].Trim();
            digits.Append(text);
            // A line of comment alone ends nothing.
            if (line.Length > 0 || digits.Length == 0)
                continue;
            entries.Add(Convert.FromHexString(digits.ToString()));
            digits.Clear();
        }
        return [.. entries];
    }
}
