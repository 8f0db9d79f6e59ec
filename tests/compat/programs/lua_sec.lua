-- LuaSec and LuaSocket.
local mode, url = arg[1], arg[2]
local secure = url:match('^https:') ~= nil
local http = require(secure and 'ssl.https' or 'socket.http')
local request = { url = url, method = mode:upper(), headers = {} }
if secure then request.cafile, request.verify, request.protocol = os.getenv('CA'), 'peer', 'any' end
if mode == 'post' then
  request.source = require('ltn12').source.string('{}')
  request.headers['content-length'] = 2
end
print(select(2, http.request(request)))
