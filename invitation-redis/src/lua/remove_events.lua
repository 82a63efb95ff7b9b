-- Removes the first events of the feed, with their entries in the trail, and writes the event of
-- the removal.
--
-- KEYS  those of the namespace.
-- ARGV  1  MessagePack array: 1 id of the event, 2 the event, 3 whether to touch, 4 the ids of
--          the removed events one after another, of 16 bytes each.
-- Returns {'removed'}, {'before'}, {'changed'}, or {'failed', message}.

local function remove()
  local t = read(ARGV[1])
  local event_id, event, ids = t[1], t[2], t[4]
  if call('HEXISTS', EVENTS, event_id) == 1 then
    touch(t[3])
    return { 'before' }
  end
  local n = #ids / 16
  -- The first element of the list is no event of the feed.
  local first = call('LRANGE', FEED, 1, n)
  if table.concat(first) ~= ids then
    touch(t[3])
    return { 'changed' }
  end
  -- Only this script needs these rights. One that is missing later would leave a half-made change.
  local can = redis.acl_check_cmd
  if not (can('ZREM', TRAIL, '') and can('HDEL', EVENTS, '') and can('LTRIM', FEED, '0', '0')) then
    error({ err = 'NOPERM the user may not remove events' })
  end

  local entries = {}
  for from = 1, n, 1000 do
    local upto = math.min(from + 999, n)
    for k, record in ipairs(call('HMGET', EVENTS, unpack(first, from, upto))) do
      local r = read(record)
      tell(first[from + k - 1], r[EV_AT], r[EV_USER], r[EV_ABOUT], r[EV_DIVISION],
        r[EV_CORRELATION])
    end
  end
  for k = 2, #told, 2 do entries[#entries + 1] = told[k] end
  told, fed = {}, {}
  in_pieces('ZREM', TRAIL, entries)
  in_pieces('HDEL', EVENTS, first)
  -- The last removed id becomes the first element.
  write('LTRIM', FEED, n, -1)
  write('HSET', CURSORS, 'p', tonumber(call('HGET', CURSORS, 'p') or '0') + n)
  write_event(event_id, event)
  settle()
  return { 'removed' }
end

return guarded(remove)
