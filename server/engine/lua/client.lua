-- Arguments: client. Answer: its connections. Writes nothing.
return call('HKEYS', client_key(ARGV[1]))
