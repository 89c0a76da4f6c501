using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Hypha.Containers.Tests")]
