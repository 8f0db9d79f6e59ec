// A C++ program that talks HTTP by iostreams over a socket: std::cout for the request, put there by dup2, and a stdio_filebuf for the
// response. Prints the status of each response. usage: iostream_fdopen MODE URL [URL2]
#include <cstdio>
#include <cstdlib>
#include <ext/stdio_filebuf.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const std::string &host)
{
    addrinfo hints = {};
    addrinfo *found;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host.c_str(), "80", &hints, &found) != 0)
        std::exit(1);
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        std::exit(1);
    freeaddrinfo(found);
    return fd;
}

static void read_response(std::istream &in, std::ostream &answers)
{
    std::string line;
    std::size_t length = 0;
    while (std::getline(in, line) && line != "\r") {
        if (line.rfind("HTTP/1.1 ", 0) == 0)
            answers << line.substr(9, 3) << std::endl;
        else if (line.rfind("Content-Length: ", 0) == 0 || line.rfind("content-length: ", 0) == 0)
            length = std::stoul(line.substr(16));
    }
    line.resize(length);
    in.read(&line[0], static_cast<std::streamsize>(length)); // ignore() would wait for one more
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 64;
    const bool post = std::string(argv[1]) == "post";
    const std::string first = argv[2];
    const std::string host = first.substr(7, first.find('/', 7) - 7);
    std::ifstream file(std::getenv("BODY"), std::ios::binary);
    const std::string body((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());

    __gnu_cxx::stdio_filebuf<char> answers_buffer(dup(1), std::ios::out);
    std::ostream answers(&answers_buffer);
    int fd = dial(host);
    dup2(fd, 1);
    __gnu_cxx::stdio_filebuf<char> in_buffer(fd, std::ios::in);
    std::istream in(&in_buffer);
    for (int i = 2; i < argc; i++) {
        const std::string url = argv[i];
        std::cout << (post ? "POST " : "GET ") << url.substr(url.find('/', 7)) << " HTTP/1.1\r\nHost: " << host << "\r\n";
        if (post)
            std::cout << "Content-Type: application/json\r\nContent-Length: " << body.size() << "\r\n";
        std::cout << "Connection: " << (i + 1 < argc ? "keep-alive" : "close") << "\r\n\r\n";
        if (post)
            std::cout << body;
        std::cout.flush();
        read_response(in, answers);
    }
    return 0;
}
