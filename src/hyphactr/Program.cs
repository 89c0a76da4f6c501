System.Console.WriteLine("hyphactr");
