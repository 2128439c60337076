-- What every script of the directory begins with: the names of all keys, and the steps that write
-- and remove one row. The only place that knows how the directory is laid out.
--
-- KEYS[1] is the root, "{<prefix>}:", which all keys begin with, so that they share a hash slot.
-- A row is one binding or one membership of one connection. Names have no control characters, so
-- NUL separates their parts.
--
--   client:<client>     hash    connection -> letter of the policy, then the number of its Bind
--   room:<room>         zset    client NUL connection, all scores 0: in the order of octets
--   roomclients:<room>  hash    client -> its joined connections
--   rooms               zset    names of the rooms that have members, all scores 0
--   counts              hash    connections, clients, memberships; connections:<node>,
--                               clients:<node> (a client counts once on each of its nodes)
--   nodes               zset    node -> when its lease ends, milliseconds of Redis' clock
--   node:<node>         hash    version, started_at, heartbeat_at
--   index:<node>        set     the node's rows: c NUL client NUL connection,
--                               r NUL room NUL client NUL connection
--   leftover:<node>     set     those that the node has not written again since it began to
--   gc                  string  the node that collects
--   sessions:<node>     hash    SHA-256 of a token's secret -> wire.Session; ends a while after the
--                               node does
--   spare:<SHA-256>     string  likewise, put by another node than the token names; ends by itself
--
-- And those of core/history.h, of which the directory knows nothing:
--
--   history:<room>      stream  <offset>-<milliseconds> -> m: the message as it was published
--   position:<room>     hash    epoch, era, offset; version, version_epoch
--   once:<room> NUL <idempotency key>  string  offset, a blank, epoch of the push with that key
--   kept                string  how many messages were kept since Redis was empty, in all rooms
--   era                 string  another one than a position's: that position was lost
--
-- The event log (core/event_log.h), which is as it was before where a script has failed:
--
--   log                 string  <partitions> <most entries of each>; ends with the last node that
--                               wants a log, and without it nothing is logged
--   log:<partition>     stream  entries: k kind, c client, n connection; r room, e ending,
--                               p the connection that one is in place of, l wire.Labels,
--                               o offset and h epoch of a message
--   logspan             string  how many partitions there may be entries in
--   logcounts           hash    partition -> entries ever appended; lost -> those that were not
--   loggroups           hash    group -> partitions that it was made on
--   logread:<group>     hash    partition -> entries read or given up; lost -> those given up
--   logheld:<group>     hash    partition -> <until> <consumer>, milliseconds
--   logalive:<group>    zset    consumer -> until when it counts
--   logretry:<group>    stream  dead letters that are to be handed out again: i id of the entry
--   logdead:<group>     stream  dead letters: i id of the entry, d how often it was handed out
--
-- Holds behind every script: a row is there if and only if it is in the index or, instead, in the
-- leftovers of a node in `nodes`; counts are exact; nothing empty or zero is kept. A script reads
-- each key that it writes before it writes the first: where somebody else put a value of another
-- type there, it fails and has written nothing.

local call = redis.call
local root = KEYS[1]
local counts, nodes, rooms, gc = root .. 'counts', root .. 'nodes', root .. 'rooms', root .. 'gc'
local kept, era = root .. 'kept', root .. 'era'

local function client_key(client) return root .. 'client:' .. client end
local function room_key(room) return root .. 'room:' .. room end
local function room_clients_key(room) return root .. 'roomclients:' .. room end
local function node_key(node) return root .. 'node:' .. node end
local function index_key(node) return root .. 'index:' .. node end
local function leftover_key(node) return root .. 'leftover:' .. node end
local function history_key(room) return root .. 'history:' .. room end
local function position_key(room) return root .. 'position:' .. room end

local function binding(client, connection) return 'c\0' .. client .. '\0' .. connection end
local function membership(room, client, connection)
  return 'r\0' .. room .. '\0' .. client .. '\0' .. connection
end

-- <server_id>.<incarnation>, which a connection id has before its last two parts.
local function node_of(connection) return string.match(connection, '^(.+)%.%x+%.%x+$') end

-- A number without a fraction as text, all of its digits.
local function number(value) return string.format('%.0f', value) end
local function milliseconds(value) return number(value) end
local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Why the rows go that this script removes: "<cause> <code>", or "" where the connection stays.
local ending = ''

-- Appends to the log what has happened to a row, with further fields and their values. Entries
-- about one `subject` are in order.
local function log(kind, subject, client, connection, ...)
  local wanted = call('GET', root .. 'log')
  if not wanted then return end
  local partitions, length = string.match(wanted, '^(%d+) (%d+)$')
  local hash = tonumber(string.sub(redis.sha1hex(subject), 1, 7), 16)
  local partition = string.format('%d', hash % partitions)
  local id = redis.pcall('XADD', root .. 'log:' .. partition, 'MAXLEN', '~', length, '*', 'k',
                         kind, 'c', client, 'n', connection, ...)
  local field = type(id) == 'table' and id.err and 'lost' or partition
  redis.pcall('HINCRBY', root .. 'logcounts', field, 1)
end

-- Without an entry in `nodes` a node may not write: nobody would ever find its rows.
local function registered(node) return call('ZSCORE', nodes, node) end

-- Reads what the rows of all clients and rooms share.
local function check_shared(node)
  call('HLEN', counts)
  call('ZCARD', rooms)
  call('SCARD', index_key(node))
  call('SCARD', leftover_key(node))
end

local function count(field, by)
  if call('HINCRBY', counts, field, by) == 0 then call('HDEL', counts, field) end
end
local function counted(field) return tonumber(call('HGET', counts, field) or 0) end

-- The key of the set that has `row`, or nil.
local function place_of(node, row)
  if call('SISMEMBER', index_key(node), row) == 1 then return index_key(node) end
  if call('SISMEMBER', leftover_key(node), row) == 1 then return leftover_key(node) end
  return nil
end

-- Puts `row` into the index, wherever place_of has found it.
local function enter(node, row, place)
  if place == index_key(node) then return end
  call('SADD', index_key(node), row)
  if place then call('SREM', place, row) end
end

-- A client's connections: the value of `connection` or nil, the others with their values, and how
-- many of those are on `node`.
local function owners(client, connection, node)
  local flat = call('HGETALL', client_key(client))
  local found = {own = nil, others = {}, values = {}, here = 0}
  for i = 1, #flat, 2 do
    if flat[i] == connection then
      found.own = flat[i + 1]
    else
      found.others[#found.others + 1] = flat[i]
      found.values[#found.values + 1] = flat[i + 1]
      if node_of(flat[i]) == node then found.here = found.here + 1 end
    end
  end
  return found
end

local function count_owner(found, node, by)
  count('connections', by)
  count('connections:' .. node, by)
  if #found.others == 0 then count('clients', by) end
  if found.here == 0 then count('clients:' .. node, by) end
end

-- `found` is what owners and `place` what place_of said before the first write. `resumes`: nil, or
-- the connection that ends with this one's beginning, "" if that has ended before.
local function add_owner(client, connection, node, value, found, place, labels, resumes)
  enter(node, binding(client, connection), place)
  call('HSET', client_key(client), connection, value)
  if not found.own then
    count_owner(found, node, 1)
    if resumes then
      log('resumed', client, client, connection, 'l', labels, 'p', resumes)
    else
      log('connected', client, client, connection, 'l', labels)
    end
  end
end

-- Whether there was anything to remove. `unsaid`: what is logged next says that it ended.
local function drop_owner(client, connection, unsaid)
  local node = node_of(connection)
  local row = binding(client, connection)
  local place = place_of(node, row)
  local found = owners(client, connection, node)
  if found.own then
    call('HDEL', client_key(client), connection)
    count_owner(found, node, -1)
    if not unsaid then
      log(ending == '' and 'released' or 'disconnected', client, client, connection, 'e', ending)
    end
  end
  if place then call('SREM', place, row) end
  return found.own ~= nil
end

local function check_room(room)
  call('ZCARD', room_key(room))
  call('HLEN', room_clients_key(room))
end

-- Returns whether the connection was no member before.
local function add_member(room, client, connection, node)
  local row = membership(room, client, connection)
  local member = client .. '\0' .. connection
  local is_new = not call('ZSCORE', room_key(room), member)
  enter(node, row, place_of(node, row))
  if is_new then
    call('ZADD', room_key(room), 0, member)
    call('HINCRBY', room_clients_key(room), client, 1)
    call('ZADD', rooms, 0, room)
    count('memberships', 1)
    log('joined', client, client, connection, 'r', room)
    if call('ZCARD', room_key(room)) == 1 then
      log('occupied', room, client, connection, 'r', room)
    end
  end
  return is_new
end

-- Whether there was anything to remove.
local function drop_member(room, client, connection)
  local node = node_of(connection)
  local row = membership(room, client, connection)
  local member = client .. '\0' .. connection
  local place = place_of(node, row)
  local present = call('ZSCORE', room_key(room), member)
  check_room(room)
  if present then
    call('ZREM', room_key(room), member)
    if call('HINCRBY', room_clients_key(room), client, -1) <= 0 then
      call('HDEL', room_clients_key(room), client)
    end
    local vacated = call('ZCARD', room_key(room)) == 0
    if vacated then call('ZREM', rooms, room) end
    count('memberships', -1)
    log('left', client, client, connection, 'r', room)
    if vacated then log('vacated', room, client, connection, 'r', room) end
  end
  if place then call('SREM', place, row) end
  return present and true
end

local function room_size(room)
  return call('HLEN', room_clients_key(room)), call('ZCARD', room_key(room))
end

-- Removes a row of `node` as its index names it; whether there was anything to remove. Where
-- somebody put something else under the row's key the row is gone, and is only forgotten.
local function drop_row(node, row)
  local client, connection = string.match(row, '^c%z([^%z]*)%z([^%z]*)$')
  local done, present = false, false
  if client then
    if node_of(connection) == node then
      done, present = pcall(drop_owner, client, connection)
    end
  else
    local room
    room, client, connection = string.match(row, '^r%z([^%z]*)%z([^%z]*)%z([^%z]*)$')
    if room and node_of(connection) == node then
      done, present = pcall(drop_member, room, client, connection)
    end
  end
  if done then return present end
  local place = place_of(node, row)
  if place then call('SREM', place, row) end
  return false
end

-- Removes about `limit` rows that `place` names. Returns how many were looked at, and those that
-- were there.
local function drop_some(node, place, limit)
  local removed = {}
  local found = call('SRANDMEMBER', place, limit)
  for _, row in ipairs(found) do
    if drop_row(node, row) then removed[#removed + 1] = row end
  end
  return #found, removed
end

-- Takes `node` out of the cluster if nothing is left of it.
local function forget_node(node)
  if call('EXISTS', index_key(node), leftover_key(node)) > 0 then return end
  call('ZREM', nodes, node)
  call('DEL', node_key(node))
end

-- Whether Redis knows of fewer kept messages than a node has `seen`: it lost the last of them, and
-- positions may have gone back.
local function positions_lost(seen) return tonumber(call('GET', kept) or 0) < tonumber(seen) end

local function begin_era(seen, microseconds)
  call('SET', era, string.format('%x', microseconds))
  call('SET', kept, seen)
end

-- A room's epoch, empty where it has none that counts, its last offset; whether begin_era is due.
local function position_of(room, seen)
  local found = call('HMGET', position_key(room), 'epoch', 'era', 'offset')
  local lost = positions_lost(seen)
  if lost or not found[1] or found[2] ~= (call('GET', era) or '') then
    return {epoch = '', offset = 0, lost = lost}
  end
  return {epoch = found[1], offset = tonumber(found[3]), lost = false}
end

local function begin_epoch(room, at, microseconds)
  at.epoch, at.offset = string.format('%x', microseconds), 0
  call('DEL', history_key(room))
  call('HSET', position_key(room), 'epoch', at.epoch, 'era', call('GET', era) or '', 'offset', 0)
end

-- The log's side of nodes: it lasts `keep` milliseconds from now. `wanted` as in `log`, or ''.
local function want_log(wanted, keep)
  if wanted == '' then return end
  call('SET', root .. 'log', wanted, 'PX', keep)
  local partitions = string.match(wanted, '^%d+')
  if tonumber(partitions) > tonumber(call('GET', root .. 'logspan') or 0) then
    call('SET', root .. 'logspan', partitions)
  end
end

-- The streams that a group reads: names, and keys by name.
local function log_streams(group)
  local names, keys = {}, {}
  for i = 1, tonumber(call('GET', root .. 'logspan') or 0) do
    names[i] = string.format('%d', i - 1)
    keys[names[i]] = root .. 'log:' .. names[i]
  end
  names[#names + 1] = 'r'
  keys.r = root .. 'logretry:' .. group
  return names, keys
end
