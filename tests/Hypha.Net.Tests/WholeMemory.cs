namespace Hypha.Net.Tests;

/// <summary>Tests that look at the memory of the whole process: nothing else may run beside them.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class WholeMemory;
