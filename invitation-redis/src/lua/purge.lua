-- Removes invitations that were over before an instant, with all their data except for
-- their events. Stops after the invitation with which it has removed enough redemptions and leases.
--
-- KEYS  those of the namespace.
-- ARGV  1  MessagePack array:
--            1 division or false (the scope), 2 the instant, 3 the maximum number,
--            4 id of the event, 5 the event, 6 and 7 its detail before and after the
--            number of removed invitations, 8 whether to touch.
-- Returns {'before'}, {'removed', number of invitations, 1 if there may be more or 0} or
--         {'failed', message}.

-- The number of redemptions and leases after which no further invitation is removed. The server
-- serves no other client meanwhile.
local ENOUGH = 5000

local function purge()
  local t = read(ARGV[1])
  local scope, before, max, event_id, event = t[1], t[2], t[3], t[4], t[5]
  if call('HEXISTS', EVENTS, event_id) == 1 then
    touch(t[8])
    return { 'before' }
  end

  local gone = {}

  -- Collects the invitations of one state and division, given by the prefix of their
  -- entries.
  local function collect(prefix)
    local found = call('ZRANGEBYLEX', INDEX, '[' .. prefix, '(' .. prefix .. before,
      'LIMIT', 0, max - #gone)
    for _, entry in ipairs(found) do gone[#gone + 1] = string.sub(entry, -16) end
  end

  for _, st in ipairs({ 'o', 'u', 'r', 't' }) do
    local letters = 'y' .. st
    local from = '[' .. letters
    while #gone < max do
      local prefix = scope and letters .. sized(scope)
      if not scope then
        -- Finds the next division.
        local entry = call('ZRANGEBYLEX', INDEX, from, '(' .. letters .. '\255', 'LIMIT', 0, 1)[1]
        prefix = entry and string.sub(entry, 1, 3 + string.byte(entry, 3))
        from = prefix and '(' .. prefix .. '\255'
      end
      if prefix then collect(prefix) end
      if scope or not prefix then break end
    end
  end

  -- Removes expired keys of requests that created nothing.
  local forgotten = {}
  if not scope then
    forgotten = call('ZRANGEBYLEX', INDEX, '[k', '(k' .. before, 'LIMIT', 0, max)
    local keys = {}
    for n, entry in ipairs(forgotten) do keys[n] = string.sub(entry, 10) end
    in_pieces('HDEL', REQUESTS, keys)
    in_pieces('ZREM', INDEX, forgotten)
  end
  local may_be_more = #gone >= max or #forgotten >= max
  if #gone == 0 then
    touch(t[8])
    return { 'removed', 0, may_be_more and 1 or 0 }
  end

  local removed, work = 0, 0
  for _, id in ipairs(gone) do
    if work >= ENOUGH then
      may_be_more = true
      break
    end
    removed = removed + 1
    local r = read(call('HGET', INVITATIONS, id))
    put_all(id, r, false)
    work = work + end_all_leases(id)
    local fields, uses = {}, 'u' .. id
    local found = call('ZRANGEBYLEX', INDEX, '[' .. uses, '(' .. uses .. '\255')
    work = work + #found
    for n, entry in ipairs(found) do fields[n] = id .. string.sub(entry, 42) end
    in_pieces('HDEL', REDEMPTIONS, fields)
    in_pieces('ZREM', INDEX, found)
    local mailboxes = 'n' .. id
    in_pieces('ZREM', INDEX,
      call('ZRANGEBYLEX', INDEX, '[' .. mailboxes, '(' .. mailboxes .. '\255'))
    -- The terms of the redeemers' names.
    local names = 'v' .. id
    local terms = call('ZRANGEBYLEX', INDEX, '[' .. names, '(' .. names .. '\255')
    for _, entry in ipairs(terms) do
      local term = term_and_user(entry)
      put({ 'w' .. term .. '\0' .. id }, false)
    end
    in_pieces('ZREM', INDEX, terms)
    -- The key may belong to a later request by now.
    if r[REQUEST] then
      local made = call('HGET', REQUESTS, r[REQUEST])
      if made and string.sub(read(made)[2], 1, 16) == r[REQUEST_FIRST] then
        write('HDEL', REQUESTS, r[REQUEST])
      end
    end
    write('HDEL', CODES, r[DIGEST])
    write('HDEL', INVITATIONS, id)
  end
  event[EV_DETAIL] = t[6] .. removed .. t[7]
  write_event(event_id, event)
  settle()
  return { 'removed', removed, may_be_more and 1 or 0 }
end

return guarded(purge)
