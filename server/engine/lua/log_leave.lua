-- Takes a consumer out of its group.
-- Arguments: group, consumer. Answer: how many partitions it held.
-- Afterwards: they are free; who takes them gets at once what this one did not settle.
local group, consumer = ARGV[1], ARGV[2]
local held = root .. 'logheld:' .. group
local left = 0
for _, name in ipairs(call('HKEYS', held)) do
  if string.match(call('HGET', held, name), '^%d+ (.*)$') == consumer then
    left = left + call('HDEL', held, name)
  end
end
call('ZREM', root .. 'logalive:' .. group, consumer)
return left
