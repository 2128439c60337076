-- Keeps a session of a node, in place of what there was under its name.
-- Arguments: node, name, session, for how many milliseconds the node's sessions stay from now on.
-- Answer: 1.
local key = root .. 'sessions:' .. ARGV[1]
call('HSET', key, ARGV[2], ARGV[3])
call('PEXPIRE', key, ARGV[4])
return 1
