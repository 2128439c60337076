-- A page of a room's members, in the order of their clients' octets.
-- Arguments: room, the client after which to begin or "", most clients to list.
-- Answer: 1 if there are more, then client NUL connection for each joined connection of these
--   clients: no client is split over two pages. Writes nothing.
local key, limit = room_key(ARGV[1]), tonumber(ARGV[3])
-- Nothing but NUL sorts before 0x01, and names have neither.
local from = ARGV[2] == '' and '-' or '(' .. ARGV[2] .. '\1'
local page, clients, last = {0}, 0, nil
while true do
  local members = call('ZRANGEBYLEX', key, from, '+', 'LIMIT', 0, limit + 1)
  for _, member in ipairs(members) do
    local client = string.match(member, '^[^%z]*')
    if client ~= last then
      if clients == limit then
        page[1] = 1
        return page
      end
      clients, last = clients + 1, client
    end
    page[#page + 1] = member
  end
  if #members <= limit then return page end
  from = '(' .. members[#members]
end
