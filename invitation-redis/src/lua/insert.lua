-- Stores new invitations with their events and the key of their request: all or none.
--
-- KEYS  those of the namespace.
-- ARGV  1  MessagePack array:
--            1 the operation: bytes unique to this call, 2 quotas as in apply.lua,
--            3 key of the request or false, 4 its fingerprint, 5 whether to touch,
--            6 whether to store the key, 7 time of the request or false, 8 time from which
--            its key counts as absent or false, 9 its results or false.
--       then for each row: id, record, id of the event, event.
-- Returns {'stored'}, {'known', fingerprint, results or '', id, record, …}, {'quota', number
--         of the quota, its current count}, {'taken'} or {'failed', message}.

local function insert()
  local t = read(ARGV[1])
  local operation, request = t[1], t[3]
  local has_rows = #ARGV > 1

  -- The same call again, because its answer was lost.
  if has_rows then
    local on_record = call('HGET', EVENTS, ARGV[4])
    if on_record and read(on_record)[EV_OPERATION] == operation then
      touch(t[5])
      return { 'stored' }
    end
  end

  local made = request and call('HGET', REQUESTS, request)
  made = made and read(made)
  local forgotten_at = made and made[4]
  if made and not (forgotten_at and not earlier(t[7], forgotten_at)) then
    touch(t[5])
    local ids = made[2]
    local known = { 'known', made[1], made[3] or '' }
    for at = 1, #ids, 16 do
      local id = string.sub(ids, at, at + 15)
      known[#known + 1] = id
      known[#known + 1] = call('HGET', INVITATIONS, id)
    end
    return known
  end
  if not has_rows and not t[6] then
    touch(t[5])
    return { 'stored' }
  end

  local full, pending = first_full(t[2])
  if full then
    touch(t[5])
    return { 'quota', full, pending }
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
  if t[6] then
    if forgotten_at then put({ 'k' .. forgotten_at .. request }, false) end
    if t[8] then put({ 'k' .. t[8] .. request }, true) end
    write('HSET', REQUESTS, request, pack({ t[4], table.concat(ids), t[9], t[8] }))
  end
  settle()
  return { 'stored' }
end

return guarded(insert)
