// D's std.net.curl: libcurl by dlopen.
import std.net.curl, std.process, std.stdio;

void main(string[] arguments)
{
    auto http = HTTP(arguments[2]);
    http.caInfo = environment["CA"];
    if (arguments[1] == "post")
        http.setPostData("{}", "application/json");
    http.onReceive = (ubyte[] data) => data.length;
    http.perform();
    writeln(http.statusLine.code);
}
