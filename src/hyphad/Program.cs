System.Console.WriteLine("hyphad");
