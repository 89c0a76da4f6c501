using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Hypha.XenStore.Tests")]
