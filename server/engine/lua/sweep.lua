-- Removes some of a node's own rows.
-- Arguments: node, most rows to look at, "leftover" or "all".
-- Answer: 1 if there may be more, and how many were removed.
-- Afterwards: with 0 there are no leftovers; with "all" no rows either, the node has left the
--   cluster, and it does not collect any more.
local node, limit, which = ARGV[1], tonumber(ARGV[2]), ARGV[3]
call('ZCARD', nodes)
check_shared(node)
ending = which == 'all' and 'stopping 1001' or 'unknown 0'
local looked, removed = drop_some(node, leftover_key(node), limit)
if looked > 0 then return {1, #removed} end
if which == 'leftover' then return {0, 0} end
looked, removed = drop_some(node, index_key(node), limit)
if looked > 0 then return {1, #removed} end
forget_node(node)
if call('GET', gc) == node then call('DEL', gc) end
return {0, 0}
