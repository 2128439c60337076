-- Takes dead letters of a group away.
-- Arguments: group, "again" or "drop", ids as log_dead lists them...
-- Answer: how many were there.
-- Afterwards: they are no dead letters; with "again" they are handed out again, to this group only,
--   as if they never had been.
local group, again = ARGV[1], ARGV[2] == 'again'
local dead_key, retry = root .. 'logdead:' .. group, root .. 'logretry:' .. group
if again and call('HEXISTS', root .. 'loggroups', group) == 0 then return 0 end
local moved = 0
for i = 3, #ARGV do
  local entry = call('XRANGE', dead_key, ARGV[i], ARGV[i])[1]
  if entry then
    local words = {'XADD', retry, '*'}
    for at = 1, #entry[2], 2 do
      if entry[2][at] ~= 'd' then
        words[#words + 1] = entry[2][at]
        words[#words + 1] = entry[2][at + 1]
      end
    end
    if again then call(unpack(words)) end
    moved = moved + call('XDEL', dead_key, ARGV[i])
  end
end
return moved
