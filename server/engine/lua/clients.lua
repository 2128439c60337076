-- The clients of a room, unless there are too many.
-- Arguments: room, most clients to list, at most 1000.
-- Answer: how many there are, then these, each once, unless they are more. Writes nothing.
local key = room_clients_key(ARGV[1])
local clients = call('HLEN', key)
if clients > tonumber(ARGV[2]) then return {clients} end
return {clients, unpack(call('HKEYS', key))}
