-- lua-http: cqueues, and an HTTP/2 of its own.
local mode, url = arg[1], arg[2]
local request = require('http.request').new_from_uri(url)
if os.getenv('VERSION') == '1.1' then request.version = 1.1 end
local context = require('http.tls').new_client_context()
context:getStore():add(os.getenv('CA'))
request.ctx = context
if mode == 'post' then
  request.headers:upsert(':method', 'POST')
  request:set_body('{}')
end
local headers, stream = request:go(10)
print(headers and headers:get(':status') or stream)
