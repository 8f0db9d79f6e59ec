# curb: libcurl.
require 'curb'
mode, url = ARGV
curl = Curl::Easy.new(url) { |easy| easy.cacert = ENV.fetch('CA') }
curl.version = ENV.fetch('VERSION') == '2' ? Curl::HTTP_2_0 : Curl::HTTP_1_1
mode == 'post' ? curl.http_post('{}') : curl.http_get
puts curl.response_code
