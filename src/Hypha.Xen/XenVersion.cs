namespace Hypha.Xen;

/// <summary>Which hypervisor runs: 4.17 and its extra version, as <c>/sys/hypervisor/version</c> tells it.</summary>
public readonly record struct XenVersion(int Major, int Minor, string Extra)
{
    public override string ToString() => $"{Major}.{Minor}{Extra}";
}
