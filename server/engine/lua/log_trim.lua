-- Takes old entries out of the log. They stay a little longer where Redis keeps them together with
-- younger ones. Arguments: milliseconds that an entry is kept. Answer: how many went.
local oldest = milliseconds(now() - tonumber(ARGV[1]))
local gone = 0
for i = 1, tonumber(call('GET', root .. 'logspan') or 0) do
  gone = gone + call('XTRIM', root .. 'log:' .. string.format('%d', i - 1), 'MINID', '~', oldest)
end
return gone
