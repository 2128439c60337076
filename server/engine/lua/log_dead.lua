-- A page of a group's dead letters, oldest first.
-- Arguments: group, the id after which to begin or "", most to list.
-- Answer: 1 if there are more, then for each its id and its fields. Writes nothing.
local from = ARGV[2] == '' and '-' or '(' .. ARGV[2]
local limit = tonumber(ARGV[3])
local found = call('XRANGE', root .. 'logdead:' .. ARGV[1], from, '+', 'COUNT', limit + 1)
local page = {#found > limit and 1 or 0}
for i = 1, math.min(#found, limit) do
  local one = {found[i][1]}
  for _, word in ipairs(found[i][2]) do one[#one + 1] = word end
  page[#page + 1] = one
end
return page
