-- Takes a session away.
-- Arguments: node, name. Answer: the session, or "" where there is none.
local key = root .. 'sessions:' .. ARGV[1]
local session = call('HGET', key, ARGV[2])
if not session then return '' end
call('HDEL', key, ARGV[2])
return session
