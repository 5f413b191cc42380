Console.WriteLine("iotguard");
