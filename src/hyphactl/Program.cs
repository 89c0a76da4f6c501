System.Console.WriteLine("hyphactl");
