#!/usr/bin/ruby
# Ruby's Net::HTTP. Prints the status of each response.
require 'net/http'
require 'openssl'

mode, *urls = ARGV
uris = urls.map { |url| URI(url) }
options = { use_ssl: uris[0].scheme == 'https', ca_file: ENV.fetch('CA') }
Net::HTTP.start(uris[0].host, uris[0].port, nil, **options) do |http|
  uris.each do |uri|
    if mode == 'post'
      response = http.post(uri.request_uri, File.binread(ENV.fetch('BODY')), 'Content-Type' => 'application/json')
    else
      response = http.get(uri.request_uri)
    end
    puts response.code
  end
end
