-- Replaces the personal values of events, and writes the event of the erasure.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 id of the event of the erasure, 3 that event; then for
--       each erased event: its id, and a MessagePack array of its name, source and detail, each
--       or false.
-- Returns {'erased'}, {'before'} or {'failed', message}.

-- Of an event.
local EV_NAME, EV_SOURCE = 4, 11

return guarded(function()
  touch(ARGV[1] == '1')
  if call('HEXISTS', EVENTS, ARGV[2]) == 1 then return { 'before' } end
  for at = 4, #ARGV, 2 do
    local found = call('HGET', EVENTS, ARGV[at])
    if found then
      local event = read(found)
      event[EV_NAME], event[EV_SOURCE], event[EV_DETAIL] = unpack(read(ARGV[at + 1]))
      write('HSET', EVENTS, ARGV[at], pack(event))
    end
  end
  write_event(ARGV[2], read(ARGV[3]))
  settle()
  return { 'erased' }
end)
