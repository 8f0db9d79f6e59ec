# The http gem.
require 'http'
mode, url = ARGV
context = OpenSSL::SSL::SSLContext.new
context.ca_file = ENV.fetch('CA')
puts HTTP.request(mode.to_sym, url, ssl_context: context, body: mode == 'post' ? '{}' : nil).code
