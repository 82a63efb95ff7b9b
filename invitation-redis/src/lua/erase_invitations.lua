-- Erases a person from one page of invitations, newest first, tombstones included.
--
-- KEYS  those of the namespace.
-- ARGV  1  MessagePack array:
--            1 the user, 2 {address, …} in comparison form, 3 now, 4 the number of invitations of
--            a page, 5 the place (time of creation and id) behind which the page begins, or
--            false, 6 the text in place of an erased value, 7 id of the event, 8 the event, 9 and
--            10 its detail before and after the number of changed invitations, 11 whether to
--            touch.
-- Returns {'erased', number of invitations of the page, number of changed ones, number of open
--         ones for an address, place of the last one if more follow, else ''}, or
--         {'failed', message}.

local t = read(ARGV[1])
local user, now, limit, after, mark = t[1], t[3], t[4], t[5], t[6]
local is_address = {}
for _, address in ipairs(t[2]) do is_address[address] = true end

-- Of a redemption and of a lease.
local ITS_NAME = 3

-- Returns whether a place is newer than another one. Lua would compare texts by the locale of the
-- server.
local function newer(a, b)
  for at = 1, 21, 4 do
    local x, y = struct.unpack('>I4', string.sub(a, at)), struct.unpack('>I4', string.sub(b, at))
    if x ~= y then return x > y end
  end
  return false
end

-- Returns the places of the page, and of one invitation more. Every invitation is in the range of
-- one state, at the same place in each.
local function places()
  local found = {}
  for _, prefix in ipairs({ 'so', 'sr', 'su', 'st' }) do
    local from = after and '(' .. prefix .. after or '(' .. prefix .. '\255'
    local some = call('ZREVRANGEBYLEX', INDEX, from, '[' .. prefix, 'LIMIT', 0, limit + 1)
    for _, entry in ipairs(some) do found[#found + 1] = string.sub(entry, 3) end
  end
  table.sort(found, newer)
  return found
end

-- Replaces the name and removes the proved address of a redemption or lease of the user. Returns
-- whether it differs, and the address that it had.
local function unname(it, mailbox)
  local had = it[mailbox]
  if it[ITS_NAME] == mark and not had then return false end
  it[ITS_NAME], it[mailbox] = mark, false
  return true, had
end

-- Removes the index entries of the user's name, and adds its terms to `gone`.
local function forget_name(id, gone)
  local prefix = 'v' .. id
  local from = '[' .. prefix
  repeat
    local some = call('ZRANGEBYLEX', INDEX, from, '(' .. prefix .. '\255', 'LIMIT', 0, 1000)
    for _, entry in ipairs(some) do
      local term, of = term_and_user(entry)
      if of == user then
        put({ entry }, false)
        gone[term] = true
      end
      from = '(' .. entry
    end
  until #some < 1000
end

-- Returns whether the invitation is still found by a term: that of the address, or of the name of
-- another redeemer.
local function has_term(id, r, term)
  for _, terms in ipairs({ r[ADDRESS_WORDS], r[NAME_WORDS] }) do
    for own in string.gmatch(terms, '[^%z]+') do
      if own == term then return true end
    end
  end
  local prefix = 'v' .. id .. term .. '\0'
  local some = call('ZRANGEBYLEX', INDEX, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, 2)
  for _, entry in ipairs(some) do
    if string.sub(entry, #prefix + 1) ~= user then return true end
  end
  return false
end

-- Erases the user's redemption in the ledger. Returns whether it differs.
local function erase_use(id, r, gone)
  local blob = r[MAX_USES] > 1 and call('HGET', REDEMPTIONS, id .. user)
  local use = blob and read(blob)
  if not use then return false end
  local differs, had = unname(use, MAILBOX_OF_USE)
  if not differs then return false end
  write('HSET', REDEMPTIONS, id .. user, pack(use))
  if had then put({ of_mailbox('n', id, had) .. user }, false) end
  forget_name(id, gone)
  return true
end

-- Erases the user's lease. Returns whether it differs.
local function erase_lease(id, r)
  local lease = r[HELD] > 0 and lease_of(id, user)
  if not lease then return false end
  local before = lease_entries(id, lease)
  if not unname(lease, MAILBOX_OF_LEASE) then return false end
  write('HSET', LEASES, id .. user, pack(lease))
  put(before, false)
  put(lease_entries(id, lease), true)
  return true
end

-- Erases the record of an invitation. Returns whether it differs.
local function erase_record(id, r, ended, gone)
  local last = r[LAST_USE]
  local is_inviter = r[INVITER] == user and r[INVITER_NAME]
  local is_grantor = r[GRANTOR] == user and r[GRANTOR_NAME]
  local is_last = last and last[ITS_USER] == user
    and (last[ITS_NAME] ~= mark or last[MAILBOX_OF_USE])
  local is_bound = ended and is_address[r[EMAIL_KEY]]
  if not (is_inviter or is_grantor or is_last or is_bound) then return false end
  put_all(id, r, false)
  if is_inviter then r[INVITER_NAME] = false end
  if is_grantor then r[GRANTOR_NAME] = false end
  if is_last then
    unname(last, MAILBOX_OF_USE)
    for term in string.gmatch(r[NAME_WORDS], '[^%z]+') do gone[term] = true end
    r[NAME_WORDS] = ''
  end
  if is_bound then r[EMAIL], r[EMAIL_KEY], r[ADDRESS_WORDS] = mark, mark, '' end
  put_all(id, r, true)
  write('HSET', INVITATIONS, id, pack(r))
  return true
end

-- Erases the person from one invitation. Returns whether it differs, and whether it is for an
-- address and open.
local function erase(id)
  local r, gone = read(call('HGET', INVITATIONS, id)), {}
  local st = state(r)
  local ended = st ~= 'o' or not earlier(now, r[EXPIRES])
  local open = not ended and is_address[r[EMAIL_KEY]]
  local use, lease = erase_use(id, r, gone), erase_lease(id, r)
  local record = erase_record(id, r, ended, gone)
  for term in pairs(gone) do
    -- A tombstone has no terms of its address and of its latest redeemer.
    if not has_term(id, r, term) then
      put_words(id, term, false)
    elseif st ~= 't' then
      put_words(id, term, true)
    end
  end
  return use or lease or record, open
end

return guarded(function()
  local found = places()
  local examined, erased, open = math.min(#found, limit), 0, 0
  for n = 1, examined do
    local differs, is_open = erase(string.sub(found[n], 9))
    if differs then erased = erased + 1 end
    if is_open then open = open + 1 end
  end
  local event_id, event = t[7], t[8]
  if erased > 0 and call('HEXISTS', EVENTS, event_id) == 0 then
    event[EV_DETAIL] = t[9] .. erased .. t[10]
    write_event(event_id, event)
  end
  settle()
  touch(t[11])
  return { 'erased', examined, erased, open, #found > limit and found[limit] or '' }
end)
