-- Writes that a client's connection is in a room.
-- Arguments: room, connection, client, room_members_capacity.
-- Answer: "ok", 1 if it was a member already, clients and connections of the room; or one of
--   "no_lease", "rooms_full" and how many memberships there are.
-- Afterwards: unless "ok" nothing was written.
local room, connection, client = ARGV[1], ARGV[2], ARGV[3]
local node = node_of(connection)
if not registered(node) then return {'no_lease'} end
check_shared(node)
check_room(room)
local memberships = counted('memberships')
if memberships >= tonumber(ARGV[4]) and
   not call('ZSCORE', room_key(room), client .. '\0' .. connection) then
  return {'rooms_full', memberships}
end
local is_new = add_member(room, client, connection, node)
return {'ok', is_new and 0 or 1, room_size(room)}
