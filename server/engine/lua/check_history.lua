-- Argument: how many kept messages the node has seen. Where Redis knows of fewer it lost some, and
-- all rooms begin new epochs. Answer: how many are kept.
if positions_lost(ARGV[1]) then begin_era(ARGV[1], now() * 1000) end
return tonumber(call('GET', kept) or 0)
