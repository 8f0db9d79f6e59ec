# httpclient.
require 'httpclient'
mode, url = ARGV
client = HTTPClient.new
client.ssl_config.add_trust_ca(ENV.fetch('CA'))
puts((mode == 'post' ? client.post(url, '{}') : client.get(url)).status)
