// C++ streams over a descriptor: iostreams by libstdc++'s stdio_filebuf, and std::cout. Knows nothing of the shim.
// usage: cxx SCENARIO tcp:127.0.0.1:PORT FILE
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ext/stdio_filebuf.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using buffer = __gnu_cxx::stdio_filebuf<char>;

static int dial(const char *target)
{
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<unsigned short>(std::atoi(std::strrchr(target, ':') + 1)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 ? fd : -1;
}

// A line at a time, flushed as std::endl does it.
static void print(std::ostream &out, const std::string &request)
{
    for (std::string::size_type at = 0, end; at < request.size(); at = end) {
        end = request.find('\n', at) + 1;
        out << request.substr(at, end - at) << std::flush;
    }
    std::cerr << "good " << out.good() << ", at " << out.tellp() << '\n';
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 64;
    const std::string scenario = argv[1];
    std::ifstream file(argv[3], std::ios::binary);
    const std::string request((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    int fd = dial(argv[2]);
    if (scenario == "over-a-descriptor") {
        buffer over(fd, std::ios::out);
        std::ostream out(&over);
        print(out, request);
    } else if (scenario == "over-a-file") {
        std::FILE *stream = fdopen(fd, "w");
        {
            buffer over(stream, std::ios::out);
            std::ostream out(&over);
            print(out, request);
        }
        std::fclose(stream);
    } else if (scenario == "standard-output" || scenario == "standard-output-not-synced") {
        std::ios::sync_with_stdio(scenario == "standard-output");
        dup2(fd, 1);
        print(std::cout, request);
    } else if (scenario == "by-name") {
        // A socket cannot be opened by its name: the same as without the shim.
        std::ofstream out("/dev/fd/" + std::to_string(fd));
        print(out, request);
    }
    return 0;
}
