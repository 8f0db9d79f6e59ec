// The C++ REST SDK: asio.
#include <cpprest/http_client.h>
#include <iostream>

int main(int, char **argv)
{
    web::http::client::http_client_config config;
    config.set_ssl_context_callback([](boost::asio::ssl::context &context) { context.load_verify_file(getenv("CA")); });
    web::http::client::http_client client(argv[2], config);
    bool post = std::string(argv[1]) == "post";
    web::http::http_request request(post ? web::http::methods::POST : web::http::methods::GET);
    if (post)
        request.set_body("{}", "application/json");
    std::cout << client.request(request).get().status_code() << "\n";
}
