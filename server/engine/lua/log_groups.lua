-- Answer: how many entries were ever appended, how many were not since Redis refused them; then for
--   each group its name, entries that it has not read, those that are handed out and not settled,
--   dead letters, consumers, entries that it lost, six elements each. Writes nothing.
local names = log_streams('')
local appended, counts_key = 0, root .. 'logcounts'
for _, name in ipairs(names) do
  appended = appended + tonumber(call('HGET', counts_key, name) or 0)
end
local list = {appended, tonumber(call('HGET', counts_key, 'lost') or 0)}
for _, group in ipairs(call('HKEYS', root .. 'loggroups')) do
  local streams, keys = log_streams(group)
  local reads = root .. 'logread:' .. group
  local lag, pending = 0, 0
  for _, name in ipairs(streams) do
    local summary = redis.pcall('XPENDING', keys[name], group)
    local unsettled = summary.err and 0 or summary[1]
    pending = pending + unsettled
    local to_read = call('XLEN', keys[name]) - unsettled
    if name ~= 'r' then
      to_read = tonumber(call('HGET', counts_key, name) or 0) -
                tonumber(call('HGET', reads, name) or 0)
    end
    lag = lag + math.max(to_read, 0)
  end
  list[#list + 1] = group
  list[#list + 1] = lag
  list[#list + 1] = pending
  list[#list + 1] = call('XLEN', root .. 'logdead:' .. group)
  list[#list + 1] = call('ZCOUNT', root .. 'logalive:' .. group, milliseconds(now()), '+inf')
  list[#list + 1] = tonumber(call('HGET', reads, 'lost') or 0)
end
return list
