-- Stores new invitations with their events and the key of their request: all or none.
--
-- KEYS  the eight of the namespace.
-- ARGV  1  MessagePack array:
--            1 the operation: bytes that no other call has, 2 quotas as in apply.lua,
--            3 key of the request or false, 4 its fingerprint, 5 whether to touch.
--       then for each row: id, record, id of the event, event.
-- Returns {'stored'}, {'known', fingerprint, id, record, …}, {'quota', number of the
--         quota}, {'taken'} or {'failed', message}.

local function insert()
  local t = read(ARGV[1])
  local operation, request = t[1], t[3]
  local has_rows = #ARGV > 1

  -- The same call again: its answer was lost on the way.
  if has_rows then
    local on_record = call('HGET', EVENTS, ARGV[4])
    if on_record and read(on_record)[EV_OPERATION] == operation then
      touch(t[5])
      return { 'stored' }
    end
  end

  local made = request and call('HGET', REQUESTS, request)
  if made then
    touch(t[5])
    local known = { 'known', string.sub(made, 1, 32) }
    for at = 33, #made, 16 do
      local id = string.sub(made, at, at + 15)
      known[#known + 1] = id
      known[#known + 1] = call('HGET', INVITATIONS, id)
    end
    return known
  end
  if not has_rows then
    touch(t[5])
    return { 'stored' }
  end

  local full = first_full(t[2])
  if full then
    touch(t[5])
    return { 'quota', full }
  end

  local records, seen = {}, {}
  for at = 2, #ARGV, 4 do
    local id, event_id = ARGV[at], ARGV[at + 2]
    local r = read(ARGV[at + 1])
    local digest = r[DIGEST]
    if seen[digest]
      or call('HEXISTS', CODES, digest) == 1
      or call('HEXISTS', INVITATIONS, id) == 1
      or call('HEXISTS', EVENTS, event_id) == 1
    then
      touch(t[5])
      return { 'taken' }
    end
    seen[digest] = true
    records[at] = r
  end

  local ids = {}
  for at = 2, #ARGV, 4 do
    local id, r = ARGV[at], records[at]
    write('HSET', INVITATIONS, id, ARGV[at + 1])
    write('HSET', CODES, r[DIGEST], id)
    put_all(id, r, true)
    local event = read(ARGV[at + 3])
    if at == 2 then event[EV_OPERATION] = operation end
    write_event(ARGV[at + 2], event)
    ids[#ids + 1] = id
  end
  if request then write('HSET', REQUESTS, request, t[4] .. table.concat(ids)) end
  settle()
  return { 'stored' }
end

return guarded(insert)
