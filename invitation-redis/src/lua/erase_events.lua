-- Erases personal values of events, and writes the event of the erasure.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 id of the event of the erasure, 3 that event; then for
--       each erased event: its id, and a MessagePack array: 1 whether its name changes, 2 the name
--       afterwards or false, 3 whether its source is removed, 4 {text in its detail, text in place
--       of it, …}.
-- Returns {'erased'}, {'before'} or {'failed', message}.

-- Of an event.
local EV_NAME, EV_SOURCE = 4, 11

-- Replaces a text wherever it stands within another one.
local function replaced(text, before, after)
  local from = 1
  while true do
    local first, last = string.find(text, before, from, true)
    if not first then return text end
    text = string.sub(text, 1, first - 1) .. after .. string.sub(text, last + 1)
    from = first + #after
  end
end

return guarded(function()
  touch(ARGV[1] == '1')
  if call('HEXISTS', EVENTS, ARGV[2]) == 1 then return { 'before' } end
  for at = 4, #ARGV, 2 do
    local found = call('HGET', EVENTS, ARGV[at])
    if found then
      local event, parts = read(found), read(ARGV[at + 1])
      if parts[1] then event[EV_NAME] = parts[2] end
      if parts[3] then event[EV_SOURCE] = false end
      for n = 1, #parts[4], 2 do
        if event[EV_DETAIL] then
          event[EV_DETAIL] = replaced(event[EV_DETAIL], parts[4][n], parts[4][n + 1])
        end
      end
      write('HSET', EVENTS, ARGV[at], pack(event))
    end
  end
  write_event(ARGV[2], read(ARGV[3]))
  settle()
  return { 'erased' }
end)
