"""Qt's QNetworkAccessManager, which finds OpenSSL's functions by QLibrary::resolve() (dlsym): h1|h2, then a GET and a POST of
the URLs in turns. Prints PROTOCOL/STATUS."""
import os
import sys

from PyQt5.QtCore import QCoreApplication, QTimer, QUrl
from PyQt5.QtNetwork import QNetworkAccessManager, QNetworkRequest, QSslCertificate, QSslConfiguration

application = QCoreApplication(sys.argv[:1])
QTimer.singleShot(20000, application.quit)
manager = QNetworkAccessManager()
tls = QSslConfiguration.defaultConfiguration()
tls.setCaCertificates(QSslCertificate.fromPath(os.environ['CA']))
for number, url in enumerate(sys.argv[2:]):
    request = QNetworkRequest(QUrl(url))
    request.setSslConfiguration(tls)
    request.setAttribute(QNetworkRequest.HTTP2AllowedAttribute, sys.argv[1] == 'h2')
    request.setHeader(QNetworkRequest.ContentTypeHeader, 'application/json')
    reply = manager.post(request, b'{"a": 1}') if number % 2 else manager.get(request)
    reply.finished.connect(application.quit)
    application.exec_()
    spoken = 'h2' if reply.attribute(QNetworkRequest.HTTP2WasUsedAttribute) else 'h1'
    print('%s/%s' % (spoken, reply.attribute(QNetworkRequest.HttpStatusCodeAttribute)), flush=True)
