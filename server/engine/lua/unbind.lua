-- Forgets a connection's binding and its memberships.
-- Arguments: connection, client, number of the Bind to undo or "" for whatever made the row,
--   why (see `ending`), rooms...
-- Answer: how many rows were removed.
-- Afterwards: no row of this connection with this client is left in these rooms or as a binding;
--   with a number, only the binding that this very Bind made is removed. Rows of other connections
--   are untouched.
local connection, client, number = ARGV[1], ARGV[2], ARGV[3]
local node = node_of(connection)
ending = ARGV[4]
check_shared(node)
if number ~= '' then
  local value = call('HGET', client_key(client), connection)
  if value and string.sub(value, 2) ~= number then return 0 end
end
local removed = 0
for i = 5, #ARGV do
  if drop_row(node, membership(ARGV[i], client, connection)) then removed = removed + 1 end
end
if drop_row(node, binding(client, connection)) then removed = removed + 1 end
return removed
