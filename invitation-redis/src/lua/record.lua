-- Stores events that belong to no change. An event that already exists stays as it is.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0'; then for each event: id, event.
-- Returns {'stored'}, or {'failed', message}.

return guarded(function()
  touch(ARGV[1] == '1')
  for at = 2, #ARGV, 2 do
    if call('HEXISTS', EVENTS, ARGV[at]) == 0 then
      write_event(ARGV[at], read(ARGV[at + 1]))
    end
  end
  settle()
  return { 'stored' }
end)
