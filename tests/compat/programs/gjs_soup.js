// gjs: libsoup 3.
imports.gi.versions.Soup = '3.0';
const { Gio, GLib, Soup } = imports.gi;
const [mode, url] = ARGV;
const session = new Soup.Session();
session.set_tls_database(Gio.TlsFileDatabase.new(GLib.getenv('CA')));
const message = Soup.Message.new(mode.toUpperCase(), url);
if (mode === 'post') message.set_request_body_from_bytes('application/json', new GLib.Bytes('{}'));
session.send_and_read(message, null);
print(message.get_status());
