-- Arguments: room. Answer: its clients and its connections. Writes nothing.
return {room_size(ARGV[1])}
