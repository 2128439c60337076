-- Arguments: a channel, a message; the log of the sender (empty: none), how many pushes it may have,
-- in how many microseconds; the same of the room; the command to publish by.
-- Answer: 0 and how many heard it; or else nothing was published or charged: 1 (the sender) or
-- 2 (the room) is over its limit, and in how many microseconds it will not be.
--
-- A log, rate:<log>, is a list of the times of the last pushes that were allowed, oldest first, in
-- microseconds of Redis' clock. It expires a window behind the last one.
local time = call('TIME')
local start = time[1] * 1000000 + time[2]

-- When a push would be entered into the log, and how long it has to wait for that.
local function ask(log, n, window)
  if log == '' then return start, 0 end
  local length = call('LLEN', log)
  if length == 0 then return start, 0 end
  local last = tonumber(call('LINDEX', log, -1))
  if last - start > window then return start, 0, true end  -- the clock was set back
  local at = math.max(start, last)
  if length < n then return at, 0 end
  return at, tonumber(call('LINDEX', log, -n)) + window - at
end

local function enter(log, n, window, at, stale)
  if log == '' then return end
  if stale then call('DEL', log) end
  if call('RPUSH', log, string.format('%.0f', at)) > n then call('LTRIM', log, -n, -1) end
  call('PEXPIRE', log, math.ceil(window / 1000) + 1)
end

local function part(first)
  local log = ARGV[first]
  return log ~= '' and root .. 'rate:' .. log or '', tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2])
end

local client, client_n, client_window = part(3)
local room, room_n, room_window = part(6)
local client_at, client_wait, client_stale = ask(client, client_n, client_window)
if client_wait > 0 then return {1, client_wait} end
local room_at, room_wait, room_stale = ask(room, room_n, room_window)
if room_wait > 0 then return {2, room_wait} end
enter(client, client_n, client_window, client_at, client_stale)
enter(room, room_n, room_window, room_at, room_stale)
return {0, call(ARGV[9], ARGV[1], ARGV[2])}
