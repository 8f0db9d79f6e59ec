// Mono's HttpWebRequest: TLS by BoringSSL inside of its runtime's own library.
using System;
using System.IO;
using System.Net;

static class Client
{
    static void Main(string[] arguments)
    {
        var request = (HttpWebRequest)WebRequest.Create(arguments[1]);
        request.Method = arguments[0].ToUpper();
        request.ServerCertificateValidationCallback = delegate { return true; };
        if (arguments[0] == "post")
            using (var body = new StreamWriter(request.GetRequestStream())) body.Write("{}");
        try { using (var answer = (HttpWebResponse)request.GetResponse()) Console.WriteLine((int)answer.StatusCode); }
        catch (WebException error) { Console.WriteLine(error.Message); }
    }
}
