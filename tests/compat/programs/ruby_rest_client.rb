# rest-client.
require 'rest-client'
mode, url = ARGV
RestClient::Request.execute(method: mode.to_sym, url: url, payload: mode == 'post' ? '{}' : nil, ssl_ca_file: ENV.fetch('CA')) { |answer| puts answer.code }
