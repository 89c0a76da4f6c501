namespace Hypha.Lab.Tests;

/// <summary>What a command in dom0 left: its status and its two streams.</summary>
public sealed record LabResult(int Status, string Output, string Error)
{
    /// <summary>Fails the test with both streams unless the status is this one.</summary>
    public LabResult Exited(int status)
    {
        Assert.True(Status == status, $"status {Status} rather than {status}\n--- output\n{Output}\n--- errors\n{Error}");
        return this;
    }

    public LabResult Succeeded() => Exited(0);
}
