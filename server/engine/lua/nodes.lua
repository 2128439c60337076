-- Answer: for each node with a lease its id, version, started_at, heartbeat_at (milliseconds),
--   draining (1 or empty), online clients and owned connections, seven elements each. Writes
--   nothing.
local list = {}
for _, node in ipairs(call('ZRANGEBYSCORE', nodes, milliseconds(now()), '+inf')) do
  local about = call('HMGET', node_key(node), 'version', 'started_at', 'heartbeat_at', 'draining')
  list[#list + 1] = node
  for i = 1, 4 do list[#list + 1] = about[i] or '' end
  list[#list + 1] = counted('clients:' .. node)
  list[#list + 1] = counted('connections:' .. node)
end
return list
