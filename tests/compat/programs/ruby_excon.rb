# Excon: non-blocking sockets.
require 'excon'
mode, url = ARGV
puts Excon.new(url, ssl_ca_file: ENV.fetch('CA')).request(method: mode.upcase, body: mode == 'post' ? '{}' : '').status
