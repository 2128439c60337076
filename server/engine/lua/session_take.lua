-- Takes a session away.
-- Arguments: node, name, what it must begin with or "". Answer: the session, or "" where there is
--   none.
-- Afterwards: no session is there under this name that begins so.
local key, spare, begin = root .. 'sessions:' .. ARGV[1], root .. 'spare:' .. ARGV[2], ARGV[3]
local function fits(session) return session and string.sub(session, 1, #begin) == begin end
local first, second = call('HGET', key, ARGV[2]), call('GET', spare)
if fits(first) then call('HDEL', key, ARGV[2]) end
if fits(second) then
  call('DEL', spare)
  return second
end
return fits(first) and first or ''
