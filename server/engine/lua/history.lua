-- Arguments: a room; behind which offset (before it, where reverse; 0: from the end) and in which
-- epoch (empty: the present one); how many entries at most; whether reverse, 0 or 1; about how many
-- octets; not older than how many milliseconds; how many kept messages the node has seen.
-- Answer: the room's last offset, its epoch (empty: none); the first offset that is kept (0: none);
-- how many are kept in all rooms; then by entry <offset>-<milliseconds>, and the message.
local room, since, since_epoch = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local limit, reverse, octets_max = tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
local ttl, seen = tonumber(ARGV[7]), ARGV[8]
local history = history_key(room)
local chunk_max = 16  -- entries that are in memory here although there may be no room for them

local at = position_of(room, seen)
if at.lost then begin_era(seen, now() * 1000) end
local answer = {at.offset, at.epoch, 0, tonumber(call('GET', kept) or 0)}
if at.epoch == '' then return answer end

local function offset_of(id) return tonumber(string.match(id, '^(%d+)-')) end

-- Removes what is too old; the offset of the first that is not.
local function first_kept()
  local oldest = now() - ttl
  while true do
    local rows = call('XRANGE', history, '-', '+', 'COUNT', chunk_max)
    local first
    for _, row in ipairs(rows) do
      if tonumber(string.match(row[1], '-(%d+)$')) > oldest then
        first = row[1]
        break
      end
    end
    if first then
      if first ~= rows[1][1] then call('XTRIM', history, 'MINID', '=', first) end
      return offset_of(first)
    end
    if #rows < chunk_max then
      if #rows > 0 then call('DEL', history) end
      return 0
    end
    call('XTRIM', history, 'MINID', '=', number(offset_of(rows[#rows][1]) + 1))
  end
end

answer[3] = first_kept()
if since_epoch ~= '' and since_epoch ~= at.epoch then since = 0 end
since = math.min(since, at.offset + 1)  -- no id is larger than 64 bits
local from = since + 1
if reverse then from = since > 0 and since - 1 or at.offset end
local octets, count, chunk = 0, 0, 1
while count < limit do
  local ask = math.min(chunk, limit - count)
  local rows
  if reverse then
    rows = call('XREVRANGE', history, number(from), '-', 'COUNT', ask)
  else
    rows = call('XRANGE', history, number(from), '+', 'COUNT', ask)
  end
  for _, row in ipairs(rows) do
    octets = octets + #row[2][2]
    if count > 0 and octets > octets_max then return answer end
    answer[#answer + 1] = row[1]
    answer[#answer + 1] = row[2][2]
    count = count + 1
    from = offset_of(row[1]) + (reverse and -1 or 1)
  end
  if #rows < ask then break end
  chunk = math.min(chunk * 2, chunk_max)
end
return answer
