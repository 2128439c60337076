-- Removes some rows of one node whose lease has ended.
-- Arguments: the node that asks, most rows to look at, milliseconds of the GC lease or 0 to reap
--   without it.
-- Answer: 1 if there may be more, and the rows that were removed, as an index names them.
-- Afterwards: with 0 no node's lease has ended that still has rows, or another node collects. A
--   dead node stays in `nodes` until its last row is gone, so it is found again. A node whose
--   lease has not ended is untouched.
local limit, lease = tonumber(ARGV[2]), tonumber(ARGV[3])
ending = 'lost 1006'
if lease > 0 then
  local holder = call('GET', gc)
  if holder and holder ~= ARGV[1] then return {0} end
  call('SET', gc, ARGV[1], 'PX', lease)
end
local dead = call('ZRANGEBYSCORE', nodes, '-inf', '(' .. milliseconds(now()), 'LIMIT', 0, 1)[1]
if not dead then return {0} end
check_shared(dead)
local looked, removed = drop_some(dead, index_key(dead), limit)
if looked == 0 then looked, removed = drop_some(dead, leftover_key(dead), limit) end
forget_node(dead)
return {1, unpack(removed)}
