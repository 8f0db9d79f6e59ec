// Qt's QNetworkAccessManager, 5 and 6: OpenSSL's functions by address; version 6 has an HTTP/2 of its own.
#include <QtCore>
#include <QtNetwork>
#include <cstdio>

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    QNetworkAccessManager manager;
    QNetworkRequest request(QUrl::fromEncoded(argv[2]));
    request.setAttribute(QNetworkRequest::Http2AllowedAttribute, qgetenv("VERSION") == "2");
    QSslConfiguration configuration = QSslConfiguration::defaultConfiguration();
    configuration.setCaCertificates(QSslCertificate::fromPath(qEnvironmentVariable("CA")));
    request.setSslConfiguration(configuration);
    request.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
    QNetworkReply *reply = qstrcmp(argv[1], "post") == 0 ? manager.post(request, QByteArray("{}")) : manager.get(request);
    QObject::connect(reply, &QNetworkReply::finished, &application, &QCoreApplication::quit);
    application.exec();
    std::printf("%d %s\n", reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(), qPrintable(reply->errorString()));
    return 0;
}
