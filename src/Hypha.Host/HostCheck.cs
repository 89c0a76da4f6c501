namespace Hypha.Host;

/// <summary>One thing that a host needs.</summary>
/// <param name="Detail">What is there, or what lacks.</param>
/// <param name="Advice">What to do when it is not there; else empty.</param>
public sealed record HostCheck(string Name, bool Ok, string Detail, string Advice = "");
