-- Arguments: a subject ('r' and a room, or 'c' and a client), its limit (empty: none is set any
-- more), how many there may be, a mark for a hash that is new, the channel where changes are told,
-- the command to publish by. Answer: 1, or 0 when there may be no more.
--
-- The hash `limits` has subject -> "<n> <microseconds>", and '' -> the mark: one who knows another
-- has seen a hash that Redis has lost. 'm' and such a mark is there when the limits of that hash
-- have been set again (restore_limits.lua).
local limits = root .. 'limits'
local subject, limit = ARGV[1], ARGV[2]
if limit == '' then
  call('HDEL', limits, subject)
else
  if call('HEXISTS', limits, subject) == 0 and call('HLEN', limits) > tonumber(ARGV[3]) then
    return 0
  end
  call('HSET', limits, subject, limit)
end
call('HSETNX', limits, '', ARGV[4])
call(ARGV[6], ARGV[5], subject)
return 1
