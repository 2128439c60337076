-- Takes a node's lease and marks its rows as left over.
-- Arguments: node, milliseconds of a lease, version, started_at in milliseconds, the log
--   it wants and for how long (see want_log).
-- Answer: 1.
-- Afterwards: the node is in the cluster, its index is empty and its leftovers are all its rows.
local node, lease, version, started_at = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local index, leftover = index_key(node), leftover_key(node)
call('ZCARD', nodes)
call('HLEN', node_key(node))
want_log(ARGV[5], ARGV[6])
local rows, marked = call('SCARD', index), call('SCARD', leftover)
local time = now()
call('ZADD', nodes, milliseconds(time + lease), node)
call('HSET', node_key(node), 'version', version, 'started_at', started_at,
     'heartbeat_at', milliseconds(time))
if rows > 0 and marked > 0 then
  call('SUNIONSTORE', leftover, leftover, index)
  call('UNLINK', index)
elseif rows > 0 then
  call('RENAME', index, leftover)
end
return 1
