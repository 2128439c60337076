-- Writes that a connection is a client's.
-- Arguments: connection, client, letter of the policy (a: allow, r: replace, x: reject), number of
--   this Bind, owner_capacity, connections_per_client, the connection that it is in place of or "",
--   its labels as the log has them.
-- Answer: "ok" and the connections that this one displaced, or one of "no_lease", "owned" and how
--   many others there are, "full" and how many are owned, "client_full".
-- Afterwards: unless "ok" nothing was written. With "r" the connection is the client's only one.
--   The value keeps the number of the Bind that made the row, so that a Bind which only changed
--   the policy is never undone by removing it. The binding of the connection that it is in place of
--   is gone, and counts for no limit.
local connection, client, policy, number = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local node = node_of(connection)
if not registered(node) then return {'no_lease'} end
check_shared(node)

local found = owners(client, connection, node)
local previous
for i, other in ipairs(found.others) do
  if other == ARGV[7] then previous = i end
end
if previous then table.remove(found.others, previous) end
local others = #found.others
local replaces = policy == 'r'
local owned = counted('connections') - (previous and 1 or 0)
if policy == 'x' and others > 0 then return {'owned', others} end
if not found.own and not (replaces and others > 0) and owned >= tonumber(ARGV[5]) then
  return {'full', owned}
end
if not found.own and not replaces and others >= tonumber(ARGV[6]) then return {'client_full'} end

ending = 'superseded 4020'
local displaced = replaces and found.others or {}
for _, other in ipairs(displaced) do check_shared(node_of(other)) end
local place = place_of(node, binding(client, connection))
if previous then
  check_shared(node_of(ARGV[7]))
  drop_owner(client, ARGV[7], not found.own)
  found = owners(client, connection, node)
end
if found.own then number = string.sub(found.own, 2) end
local resumes
if ARGV[7] ~= '' then resumes = previous and ARGV[7] or '' end
add_owner(client, connection, node, policy .. number, found, place, ARGV[8], resumes)
local answer = {'ok'}
for i, other in ipairs(displaced) do
  drop_owner(client, other)
  answer[i + 1] = other
end
return answer
