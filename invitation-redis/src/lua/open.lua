-- Makes sure that the namespace is of the layout that these scripts are for, and that
-- all of its keys exist: while a slot is on its way to another node, a script with a
-- key that does not exist waits until all of it has arrived.
--
-- KEYS  the eight of the namespace.
-- ARGV  1 the layout.
-- Returns {layout that is there}, or {'failed', message}.

local HASHES = { CODES, EVENTS, REDEMPTIONS, LEASES, REQUESTS, INVITATIONS }
local SORTED_SETS = { INDEX, TRAIL }

return guarded(function()
  -- A key of another type is an error here, and not in the middle of a change.
  for _, hash in ipairs(HASHES) do call('HGET', hash, '') end
  for _, set in ipairs(SORTED_SETS) do call('ZLEXCOUNT', set, '-', '-') end
  local there = call('HGET', INVITATIONS, '')
  if not there then
    there = ARGV[1]
    for _, set in ipairs(SORTED_SETS) do write('ZADD', set, 0, '') end
    -- The layout comes last: if this fails before, the next one begins anew.
    for _, hash in ipairs(HASHES) do
      write('HSET', hash, '', hash == INVITATIONS and there or '')
    end
  end
  return { there }
end)
