-- A page of the rooms whose names begin with a prefix, in the order of their octets.
-- Arguments: prefix, the room after which to begin or "", most rooms to list.
-- Answer: 1 if there are more, then name, clients and connections of each. Writes nothing.
local prefix, cursor, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- The C++ side gives a cursor only where it is not below the prefix. UTF-8 never has 0xFF.
local from = cursor == '' and '[' .. prefix or '(' .. cursor
local page = {0}
local names = call('ZRANGEBYLEX', rooms, from, '(' .. prefix .. '\255', 'LIMIT', 0, limit + 1)
for i, name in ipairs(names) do
  if i > limit then
    page[1] = 1
    break
  end
  local clients, connections = room_size(name)
  page[#page + 1] = name
  page[#page + 1] = clients
  page[#page + 1] = connections
end
return page
