# Tcl's http package over the tls package.
package require http
package require tls
lassign $argv mode url
http::register https 443 [list tls::socket -cafile $env(CA) -autoservername 1]
set options {}
if {$mode eq "post"} { set options [list -query "{}" -type application/json] }
puts [http::ncode [http::geturl $url {*}$options]]
