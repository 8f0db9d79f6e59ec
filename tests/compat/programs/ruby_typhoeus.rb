# Typhoeus: libcurl by ffi, that is by addresses from dlsym.
require 'typhoeus'
mode, url = ARGV
version = ENV.fetch('VERSION') == '2' ? :httpv2_0 : :httpv1_1
puts Typhoeus::Request.new(url, method: mode.to_sym, body: mode == 'post' ? '{}' : nil, cainfo: ENV.fetch('CA'), http_version: version).run.code
