-- Settles entries that were handed out.
-- Arguments: group, consumer, milliseconds as for log_take; then for each entry: its partition, its
--   id there, '' where it is done, or the milliseconds after which it is handed out again.
-- Answer: how many were settled that had not been.
-- Afterwards: what is done is not handed out again, whoever had it. What is given back counts as
--   handed out; it is left as it was where the consumer does not hold the partition any more.
local group, consumer, visible = ARGV[1], ARGV[2], tonumber(ARGV[3])
local names, keys = log_streams(group)
local settled = 0
for i = 4, #ARGV, 3 do
  local name, id, after = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if keys[name] and after == '' then
    local acked = redis.pcall('XACK', keys[name], group, id)
    if acked == 1 then settled = settled + 1 end
    if acked == 1 and name == 'r' then call('XDEL', keys[name], id) end
  elseif keys[name] then
    local lease = call('HGET', root .. 'logheld:' .. group, name) or ''
    local idle = milliseconds(math.max(visible - tonumber(after), 0))
    if string.match(lease, '^%d+ (.*)$') == consumer then
      local given = redis.pcall('XCLAIM', keys[name], group, 'c', 0, id, 'IDLE', idle, 'JUSTID')
      settled = settled + (given.err and 0 or #given)
    end
  end
end
return settled
