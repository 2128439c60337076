-- Arguments: room, client. Answer: 1 if a connection of the client is in the room. Writes nothing.
return call('HEXISTS', room_clients_key(ARGV[1]), ARGV[2])
