-- Arguments: 1 a channel, 2 a message; 3 the log of the sender (empty: none), 4 how many pushes it
-- may have, 5 in how many microseconds; 6, 7, 8 the same of the room; 9 the room whose history this
-- is about, empty: none, and 10 to 19 are not there; 10 how many messages it keeps, 0: not this
-- one; 11 for how long, 12 how long its position stays, both in milliseconds; 13 an idempotency key
-- (empty: none), 14 for how many milliseconds; 15 a version in 20 digits (empty: none), 16 its
-- epoch; 17 how many kept messages the node has seen; 18 whether the event log names it, 1 or 0, 19
-- its sender; the last: the command to publish by.
-- Answer: 0, how many heard it, its offset (0: not kept), its epoch, how many are kept; or else
-- nothing was published, kept or charged: 1 (the sender) or 2 (the room) is over its limit, and in
-- how many microseconds it will not be; 3, the offset and the epoch of the first with that key; 4
-- (there was a newer version), the room's last offset and its epoch.
--
-- A log, rate:<log>, is a list of the times of the last pushes that were allowed, oldest first, in
-- microseconds of Redis' clock. It expires a window behind the last one.
local time = call('TIME')
local start = time[1] * 1000000 + time[2]
local channel, message, publish = ARGV[1], ARGV[2], ARGV[#ARGV]

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
  if call('RPUSH', log, number(at)) > n then call('LTRIM', log, -n, -1) end
  call('PEXPIRE', log, math.ceil(window / 1000) + 1)
end

local function part(first)
  local log = ARGV[first]
  local n, window = tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2])
  return log ~= '' and root .. 'rate:' .. log or '', n, window
end

-- Versions have 64 bits, numbers here 53.
local function newer(version, than)
  local high, low = tonumber(string.sub(version, 1, 10)), tonumber(string.sub(version, 11))
  local than_high, than_low = tonumber(string.sub(than, 1, 10)), tonumber(string.sub(than, 11))
  return high > than_high or (high == than_high and low > than_low)
end

local room, size, once_key = ARGV[9], tonumber(ARGV[10]), ARGV[13]
local version, version_epoch, seen = ARGV[15], ARGV[16], ARGV[17]
local at  -- the room's position
if room ~= '' then
  at = position_of(room, seen)
  call('EXISTS', kept)
  call('XLEN', history_key(room))
  if once_key ~= '' then
    once_key = root .. 'once:' .. room .. '\0' .. once_key
    local first = call('GET', once_key)
    if first then
      local offset, epoch = string.match(first, '^(%d+) (.*)$')
      return {3, tonumber(offset), epoch}
    end
  end
  if version ~= '' then
    local last = call('HMGET', position_key(room), 'version', 'version_epoch')
    if last[1] and last[2] == version_epoch and not newer(version, last[1]) then
      return {4, at.offset, at.epoch}
    end
  end
end

local client_log, client_n, client_window = part(3)
local room_log, room_n, room_window = part(6)
local client_at, client_wait, client_stale = ask(client_log, client_n, client_window)
if client_wait > 0 then return {1, client_wait} end
local room_at, room_wait, room_stale = ask(room_log, room_n, room_window)
if room_wait > 0 then return {2, room_wait} end
enter(client_log, client_n, client_window, client_at, client_stale)
enter(room_log, room_n, room_window, room_at, room_stale)
if room == '' then return {0, call(publish, channel, message)} end

local offset, epoch, total = 0, '', 0
if version ~= '' then
  call('HSET', position_key(room), 'version', version, 'version_epoch', version_epoch)
end
if size > 0 then
  if at.lost then begin_era(seen, start) end
  if at.epoch == '' then begin_epoch(room, at, start) end
  offset, epoch = call('HINCRBY', position_key(room), 'offset', 1), at.epoch
  total = call('INCR', kept)
  local id = number(offset) .. '-' .. number(math.floor(start / 1000))
  call('XADD', history_key(room), 'MAXLEN', '=', size, id, 'm', message)
  call('PEXPIRE', history_key(room), ARGV[11])
  if ARGV[18] == '1' then
    log('message', room, ARGV[19], '', 'r', room, 'o', number(offset), 'h', epoch)
  end
  message = '\2' .. number(offset) .. ' ' .. epoch .. ' ' .. number(total) .. ' ' .. message
end
call('PEXPIRE', position_key(room), ARGV[12])
if once_key ~= '' then
  call('SET', once_key, number(offset) .. ' ' .. epoch, 'PX', ARGV[14])
end
return {0, call(publish, channel, message), offset, epoch, total}
