// POCO.
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <iostream>
#include <memory>

int main(int, char **argv)
{
    using namespace Poco::Net;
    std::string url = argv[2], host = getenv("HOST");
    std::unique_ptr<HTTPClientSession> session;
    if (url.rfind("https:", 0) == 0)
        session.reset(new HTTPSClientSession(host, 443, new Context(Context::TLS_CLIENT_USE, getenv("CA"))));
    else
        session.reset(new HTTPClientSession(host, 80));
    bool post = std::string(argv[1]) == "post";
    HTTPRequest request(post ? "POST" : "GET", url.substr(url.find(host) + host.size()), HTTPMessage::HTTP_1_1);
    request.setContentLength(post ? 2 : 0);
    session->sendRequest(request) << (post ? "{}" : "");
    HTTPResponse answer;
    session->receiveResponse(answer);
    std::cout << answer.getStatus() << "\n";
}
