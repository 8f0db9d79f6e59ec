// Boost.Beast over asio: OpenSSL through a BIO pair.
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <iostream>

namespace asio = boost::asio;
namespace http = boost::beast::http;

template <class Stream> static void ask(Stream &stream, const http::request<http::string_body> &request)
{
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> answer;
    http::write(stream, request);
    http::read(stream, buffer, answer);
    std::cout << answer.result_int() << "\n";
}

int main(int, char **argv)
{
    std::string url = argv[2], host = getenv("HOST");
    http::request<http::string_body> request(std::string(argv[1]) == "post" ? http::verb::post : http::verb::get, url.substr(url.find(host) + host.size()), 11);
    request.set(http::field::host, host);
    if (request.method() == http::verb::post)
        request.body() = "{}";
    request.prepare_payload();
    asio::io_context io;
    auto found = asio::ip::tcp::resolver(io).resolve(host, getenv("PORT"));
    if (url.rfind("https:", 0) == 0) {
        asio::ssl::context context(asio::ssl::context::tls_client);
        context.load_verify_file(getenv("CA"));
        boost::beast::ssl_stream<boost::beast::tcp_stream> stream(io, context);
        SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
        boost::beast::get_lowest_layer(stream).connect(found);
        stream.handshake(asio::ssl::stream_base::client);
        ask(stream, request);
    } else {
        boost::beast::tcp_stream stream(io);
        stream.connect(found);
        ask(stream, request);
    }
}
