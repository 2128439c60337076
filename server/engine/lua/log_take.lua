-- Hands entries of the log to a consumer of a group.
-- Arguments: group, consumer, how many it takes (0: it only stays), milliseconds until what it did
--   not settle is handed out again, how often at most, milliseconds until it counts as gone, most
--   dead letters of the group, where a group begins that is new ('0': the oldest entry, '$': now),
--   most groups, whether its last call may have handed out what it never got, 1 or 0.
-- Answer: how many partitions the consumer holds, how many entries became dead letters, how many
--   were lost: trimmed before the group had them; or -1 alone: no group may be made. Else then for each entry its partition, its id there,
--   how often it was handed out by now, and its fields.
-- Afterwards: no two consumers hold a partition. A consumer has at most its share of them, and gives
--   one that is above its share back as soon as nothing in it is unsettled. What the holder before
--   it left unsettled goes first.
local group, consumer, want = ARGV[1], ARGV[2], tonumber(ARGV[3])
local visible, most, stay = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local dead_max, start, groups_max = ARGV[7], ARGV[8], tonumber(ARGV[9])
local held, alive = root .. 'logheld:' .. group, root .. 'logalive:' .. group
local reads, dead_key = root .. 'logread:' .. group, root .. 'logdead:' .. group
local unanswered = ARGV[10] == '1'
local names, keys = log_streams(group)
local time = now()

local function begin(name, from)
  redis.pcall('XGROUP', 'CREATE', keys[name], group, from, 'MKSTREAM')
  if name == 'r' then return end
  local read = tonumber(call('HGET', root .. 'logcounts', name) or 0)
  if from == '0' then read = read - call('XLEN', keys[name]) end
  call('HSET', reads, name, read)
end

local made = tonumber(call('HGET', root .. 'loggroups', group) or 0)
if made == 0 and call('HLEN', root .. 'loggroups') >= groups_max then return {-1} end
if made < #names then
  for _, name in ipairs(names) do
    if made == 0 then
      begin(name, start)
    elseif name ~= 'r' and tonumber(name) + 1 >= made then
      begin(name, '0')
    end
  end
  call('HSET', root .. 'loggroups', group, #names)
end

if want > 0 then call('ZADD', alive, milliseconds(time + stay), consumer) end
call('ZREMRANGEBYSCORE', alive, '-inf', '(' .. milliseconds(time))
local share = math.ceil(#names / math.max(call('ZCARD', alive), 1))

-- What was handed out to one who is gone is overdue at once.
local function inherit(name)
  local from, rows = '-', nil
  repeat
    rows = call('XPENDING', keys[name], group, from, '+', 1000)
    local words = {'XCLAIM', keys[name], group, 'c', 0}
    for _, row in ipairs(rows) do words[#words + 1] = row[1] end
    for _, word in ipairs({'IDLE', milliseconds(time), 'JUSTID'}) do words[#words + 1] = word end
    if #rows > 0 then
      from = '(' .. rows[#rows][1]
      call(unpack(words))
    end
  until #rows < 1000
end

-- What the last call handed out, if nobody got it, is overdue at once and was never handed out. It
-- was delivered when that call was; Redis' clocks within a script differ by some milliseconds.
local function take_back(name, called_at)
  local from, rows = '-', nil
  repeat
    rows = call('XPENDING', keys[name], group, from, '+', 1000)
    for _, row in ipairs(rows) do
      if row[3] <= time - called_at + 5 then
        call('XCLAIM', keys[name], group, 'c', 0, row[1], 'IDLE', milliseconds(time), 'RETRYCOUNT',
             math.max(row[4] - 1, 0), 'JUSTID')
      end
    end
    if #rows > 0 then from = '(' .. rows[#rows][1] end
  until #rows < 1000
end

local mine, free = {}, {}
for _, name in ipairs(names) do
  local ends, holder = string.match(call('HGET', held, name) or '', '^(%d+) (.*)$')
  if holder == consumer then
    mine[#mine + 1] = name
    if unanswered then take_back(name, tonumber(ends) - stay) end
  elseif not holder or tonumber(ends) < time then
    free[#free + 1] = name
  end
end
for _, name in ipairs(free) do
  if want > 0 and #mine < share then
    mine[#mine + 1] = name
    inherit(name)
  end
end

local kept = 0
local function keeps(i, name)
  if i > share and call('XPENDING', keys[name], group)[1] == 0 then
    call('HDEL', held, name)
    return false
  end
  kept = kept + 1
  call('HSET', held, name, milliseconds(time + stay) .. ' ' .. consumer)
  return true
end

local answer = {0, 0, 0}
local function hand_out(name, entry, count)
  local one = {name, entry[1], count}
  for _, word in ipairs(entry[2]) do one[#one + 1] = word end
  answer[#answer + 1] = one
  want = want - 1
end

local function settle(name, id)
  call('XACK', keys[name], group, id)
  if name == 'r' then call('XDEL', keys[name], id) end
end

local function bury(name, id, count)
  local entry = call('XRANGE', keys[name], id, id)[1]
  settle(name, id)
  if not entry then return end
  local words = {'XADD', dead_key, 'MAXLEN', '~', dead_max, '*', 'd', count}
  if name ~= 'r' then
    words[#words + 1] = 'i'
    words[#words + 1] = name .. '-' .. id
  end
  for _, word in ipairs(entry[2]) do words[#words + 1] = word end
  call(unpack(words))
  answer[2] = answer[2] + 1
end

local function again(name)
  local idle = milliseconds(visible)
  for _, row in ipairs(call('XPENDING', keys[name], group, 'IDLE', idle, '-', '+', want)) do
    local id, count = row[1], row[4]
    if count >= most then
      bury(name, id, count)
    else
      local entry = call('XCLAIM', keys[name], group, 'c', 0, id)[1]
      if entry then
        hand_out(name, entry, count + 1)
      else
        settle(name, id)
      end
    end
  end
end

local function fresh(name)
  local found = call('XREADGROUP', 'GROUP', group, 'c', 'COUNT', want, 'STREAMS', keys[name], '>')
  local entries = found and found[1][2] or {}
  for _, entry in ipairs(entries) do hand_out(name, entry, 1) end
  if name == 'r' then return end
  call('HINCRBY', reads, name, #entries)
  if want == 0 then return end
  -- It has read all there is; what it has not read by then is gone.
  local appended = tonumber(call('HGET', root .. 'logcounts', name) or 0)
  local lost = appended - tonumber(call('HGET', reads, name))
  if lost > 0 then
    call('HSET', reads, name, appended)
    call('HINCRBY', reads, 'lost', lost)
    answer[3] = answer[3] + lost
  end
end

-- Each time another stream comes first, so that a busy one does not starve the others.
for i = 1, #mine do
  local at = (i + time) % #mine + 1
  local name = mine[at]
  if keeps(at, name) and want > 0 then
    again(name)
    if want > 0 and at <= share then fresh(name) end
  end
end
answer[1] = kept
return answer
