-- Checks that the namespace has the layout of these scripts, and creates all of its keys.
-- While a slot moves to another node, a script with a key that does not exist has to wait
-- until the whole slot has arrived.
--
-- KEYS  those of the namespace.
-- ARGV  1 the layout.
-- Returns {layout that is there}, or {'failed', message}.

local HASHES = { CODES, EVENTS, REDEMPTIONS, LEASES, REQUESTS, CURSORS, DOCUMENTS, BUDGETS, INVITATIONS }
local SORTED_SETS = { INDEX, TRAIL, DOCUMENT_INDEX }

return guarded(function()
  -- A key of another type fails here, and not in the middle of a change.
  for _, hash in ipairs(HASHES) do call('HGET', hash, '') end
  for _, set in ipairs(SORTED_SETS) do call('ZLEXCOUNT', set, '-', '-') end
  call('LLEN', FEED)
  local there = call('HGET', INVITATIONS, '')
  if not there then
    there = ARGV[1]
    for _, set in ipairs(SORTED_SETS) do write('ZADD', set, 0, '') end
    -- With this first element, the index of an event is its sequence, from 1 on.
    if call('LLEN', FEED) == 0 then write('RPUSH', FEED, '') end
    -- The layout is written last: if this script fails earlier, the next run starts over.
    for _, hash in ipairs(HASHES) do
      write('HSET', hash, '', hash == INVITATIONS and there or '')
    end
  end
  return { there }
end)
