-- Arguments: a room; 'keep' and how many of its last entries stay, or 'behind' and the last offset
-- that goes; how many kept messages the node has seen.
-- Answer: how many were removed, the room's last offset, its epoch (empty: none).
local room, how, bound = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at = position_of(room, ARGV[4])
if at.epoch == '' then return {0, 0, ''} end
local removed
if how == 'keep' then
  removed = call('XTRIM', history_key(room), 'MAXLEN', '=', number(bound))
else
  -- Ids above the last one remove everything, and numbers here have 53 bits.
  removed = call('XTRIM', history_key(room), 'MINID', '=', number(math.min(bound, at.offset) + 1))
end
return {removed, at.offset, at.epoch}
