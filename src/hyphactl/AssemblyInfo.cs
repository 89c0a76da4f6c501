using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("hyphactl.Tests")]
