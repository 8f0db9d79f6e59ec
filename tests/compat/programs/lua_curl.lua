-- Lua-cURL: libcurl.
local curl = require('curl')
local mode, url = arg[1], arg[2]
local easy = curl.easy_init()
easy:setopt(curl.OPT_URL, url)
easy:setopt(curl.OPT_CAINFO, os.getenv('CA'))
easy:setopt(curl.OPT_HTTP_VERSION, os.getenv('VERSION') == '2' and curl.HTTP_VERSION_NONE or curl.HTTP_VERSION_1_1)
if mode == 'post' then easy:setopt(curl.OPT_POSTFIELDS, '{}') end
easy:setopt(curl.OPT_WRITEFUNCTION, function(_, data) return #data end)
print(easy:perform())
