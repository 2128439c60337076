-- Forgets a group.
-- Arguments: group. Answer: 1 if there was one.
-- Afterwards: nothing is kept of it, dead letters included.
local group = ARGV[1]
local names, keys = log_streams(group)
for _, name in ipairs(names) do redis.pcall('XGROUP', 'DESTROY', keys[name], group) end
for _, kind in ipairs({'read', 'held', 'alive', 'retry', 'dead'}) do
  call('DEL', root .. 'log' .. kind .. ':' .. group)
end
return call('HDEL', root .. 'loggroups', group)
