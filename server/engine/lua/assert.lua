-- Writes again what a node knows of one of its connections; capacities are not asked.
-- Arguments: connection, client, letter of the policy, its labels as the log has them, rooms...
-- Answer: "ok" and 1, or 0 where another connection took the client over; or "no_lease".
-- Afterwards: with 1 the binding and the memberships are there and no leftovers. With 0 none of
--   them is there. Another connection took the client over if our binding is lost and the other
--   replaces whatever there was, or ours does not bear another.
local connection, client, policy = ARGV[1], ARGV[2], ARGV[3]
local node = node_of(connection)
if not registered(node) then return {'no_lease'} end
check_shared(node)
for i = 5, #ARGV do check_room(ARGV[i]) end

local found = owners(client, connection, node)
local place = place_of(node, binding(client, connection))
if not found.own then
  local yields = policy ~= 'a' and #found.others > 0
  for _, value in ipairs(found.values) do yields = yields or string.sub(value, 1, 1) == 'r' end
  if yields then
    ending = 'superseded 4020'
    for i = 5, #ARGV do drop_member(ARGV[i], client, connection) end
    drop_owner(client, connection)
    return {'ok', 0}
  end
end
local number = found.own and string.sub(found.own, 2) or '0'
add_owner(client, connection, node, policy .. number, found, place, ARGV[4])
for i = 5, #ARGV do add_member(ARGV[i], client, connection, node) end
return {'ok', 1}
