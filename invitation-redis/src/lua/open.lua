-- Makes sure that the namespace is of the layout that these scripts are for, and that
-- all of its keys exist: while a slot is on its way to another node, a script with a
-- key that does not exist waits until all of it has arrived.
--
-- KEYS  the eight of the namespace.
-- ARGV  1 the layout.
-- Returns {layout that is there}.

local there = call('HGET', INVITATIONS, '')
if not there then
  for _, hash in ipairs({ INVITATIONS, CODES, EVENTS, REDEMPTIONS, LEASES, REQUESTS }) do
    call('HSET', hash, '', '')
  end
  call('HSET', INVITATIONS, '', ARGV[1])
  call('ZADD', INDEX, 0, '')
  call('ZADD', TRAIL, 0, '')
  there = ARGV[1]
end
return { there }
