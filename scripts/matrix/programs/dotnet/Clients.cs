// Runs the clients named as arguments, one after another; a line for each: NAME, milliseconds, and the answer or "!" and why there is none.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Net.Sockets;

static class Clients
{
    static readonly Dictionary<string, Func<string>> All = new Dictionary<string, Func<string>>
    {
        ["HttpClient"] = () => new HttpClient { Timeout = TimeSpan.FromSeconds(10) }.GetStringAsync("http://" + Address("HTTP_ADDRESS") + "/multiply/6/7").GetAwaiter().GetResult(),
        ["TcpClient, pod's name"] = () => Get(Address("POD_NAME_ADDRESS")),
        ["TcpClient, pod's IP"] = () => Get(Address("POD_ADDRESS")),
        ["TcpClient, service"] = () => Get(Address("HTTP_ADDRESS")),
    };

    static string Address(string variable) => Environment.GetEnvironmentVariable(variable);

    static string Get(string address)
    {
        int colon = address.LastIndexOf(':');
        using (var client = new TcpClient(address.Substring(0, colon), int.Parse(address.Substring(colon + 1))))
        using (var stream = client.GetStream())
        {
            var writer = new StreamWriter(stream) { AutoFlush = true, NewLine = "\r\n" };
            writer.Write("GET /multiply/6/7 HTTP/1.0\r\n\r\n");
            string response = new StreamReader(stream).ReadToEnd();
            return response.Substring(response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4);
        }
    }

    static void Main(string[] names)
    {
        foreach (string name in names)
        {
            var watch = Stopwatch.StartNew();
            string answer;
            try
            {
                answer = All[name]();
            }
            catch (Exception error)
            {
                answer = "!" + error.GetBaseException().Message;
            }
            Console.WriteLine(name + "\t" + watch.ElapsedMilliseconds + "\t" + answer);
        }
    }
}
