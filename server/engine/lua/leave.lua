-- Forgets that a client's connection is in a room.
-- Arguments: room, connection, client.
-- Answer: clients and connections of the room.
-- Afterwards: the membership is gone if it was there; others are untouched.
local room, connection, client = ARGV[1], ARGV[2], ARGV[3]
check_shared(node_of(connection))
drop_member(room, client, connection)
return {room_size(room)}
