-- Prolongs a node's lease.
-- Arguments: node, milliseconds of a lease, 1 where it drains, the log it wants and for how long
--   (see want_log).
-- Answer: 1 and how many rows the node has, or 0 where there is no lease any more.
-- Afterwards: with 1 the lease ends that much later than now. With 0 nothing was written: a lease
--   that has ended only a rewrite takes again.
local node, lease = ARGV[1], tonumber(ARGV[2])
local ends, time = registered(node), now()
call('HLEN', node_key(node))
if not ends or tonumber(ends) < time then return {0, 0} end
local rows = call('SCARD', index_key(node)) + call('SCARD', leftover_key(node))
call('ZADD', nodes, milliseconds(time + lease), node)
want_log(ARGV[4], ARGV[5])
call('HSET', node_key(node), 'heartbeat_at', milliseconds(time), 'draining', ARGV[3])
return {1, rows}
