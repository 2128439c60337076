-- Sets some limits again that Redis has lost, each unless one has been set there since.
-- Arguments: the mark of the hash that was lost, the channel where changes are told, "more" or
--   "last", then a subject and its limit for each, the command to publish by.
-- Answer: 1, or 0 where all that the lost hash had have been set again before: who finds that some
--   are missing must not bring back what was reset meanwhile.
-- Afterwards: only with "last" the hash `limits` (set_limit.lua) is known to have all of them: it
--   has the field 'm' and the lost mark, and a mark. A change without a subject is told: all may be
--   another.
local limits = root .. 'limits'
local lost, channel, part = ARGV[1], ARGV[2], ARGV[3]
if call('HGET', limits, '') == lost or call('HEXISTS', limits, 'm' .. lost) == 1 then return 0 end
for i = 4, #ARGV - 1, 2 do call('HSETNX', limits, ARGV[i], ARGV[i + 1]) end
if part == 'last' then
  call('HSET', limits, 'm' .. lost, '')
  call('HSETNX', limits, '', lost)
  call(ARGV[#ARGV], channel, '')
end
return 1
