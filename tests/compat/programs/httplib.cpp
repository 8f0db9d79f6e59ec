// cpp-httplib.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#include <httplib.h>
#include <iostream>

int main(int, char **argv)
{
    std::string url = argv[2], host = getenv("HOST");
    std::string target = url.substr(url.find(host) + host.size());
    httplib::Client client(url.substr(0, url.find(host) + host.size()));
    client.set_ca_cert_path(getenv("CA"));
    auto answer = std::string(argv[1]) == "post" ? client.Post(target.c_str(), "{}", "application/json") : client.Get(target.c_str());
    std::cout << (answer ? answer->status : 0) << "\n";
}
