-- Applies transitions, each on its own, or reports why not.
--
-- KEYS  those of the namespace.
-- ARGV  1  whether to touch: '1' or '0'; then for each transition a MessagePack array:
--            1 id or false, 2 digests of 32 bytes each, 3 division or false (the
--            scope), 4 guard: {condition number, its arguments, condition number, …},
--            5 quotas: false or {{kind, name, max, adds, from}, …}, 6 change:
--            {change number, held or grantor, …}, 7 user or false, 8 ends all leases, 9 changes
--            terms, 10 id of the event, 11 its time, 12 its user or false, 13 its record
--            up to the invitation, 14 that after the division, 15 if the use may be taken
--            over from another user's lease: {14 up to the detail, the detail before and
--            after the id of that lease}, else false, 16 whether other changes share the
--            event: it is then written once, about no invitation, in the division of 3,
--            17 the correlation id of the event or false.
-- Returns for each transition
--         {'applied' | 'replayed' | 'refused', and the facts as in facts_answer};
--         {'quota', number of the quota}; {'taken'}; {'missing'}; {'unreadable', message} when a record that was read is
--         no record and nothing was changed; {'failed', message} when the server refused
--         a command, or an error occurred during the change. Or for all of them
--         {'failed', message}.

-- The facts for the current transition, which its guard is checked against.
local r, mine, lease, first, mailbox_use, mailbox_lease
-- Whether the current transition has begun to write.
local begun = false

local function answer(word, id, blob)
  return facts_answer(word, id, blob, r, mine, lease, first, mailbox_use, mailbox_lease)
end

local function own_lease(of)
  return lease and lease[ITS_USER] == of and lease
end

local function lease_with(mailbox)
  return mailbox_lease and mailbox_lease[MAILBOX_OF_LEASE] == mailbox and mailbox_lease
end

-- Returns the proved address that a change names, or false.
local function address_of(change)
  if change[1] == 1 then return change[9] end
  return change[1] == 2 and change[3][MAILBOX_OF_LEASE]
end

-- Returns whether all conditions of a guard hold, each given by its number in render.rs. A
-- chain of comparisons, because creating one function per condition would cost more.
local function holds(guard)
  local n, len = 1, #guard
  while n <= len do
    local word, a, b = guard[n], guard[n + 1], guard[n + 2]
    local is_so, takes = false, 1
    if word == 1 then -- FirstUseBy user
      is_so, takes = not (mine and mine[ITS_USER] == a), 2
    elseif word == 2 then -- NotDeleted
      is_so = not r[DELETED]
    elseif word == 3 then -- UsesLeft
      is_so = r[USES] < r[MAX_USES]
    elseif word == 4 then -- NotRevoked
      is_so = not r[REVOCATION]
    elseif word == 5 then -- NotExpired now
      is_so, takes = earlier(a, r[EXPIRES]), 2
    elseif word == 6 then -- AddressProved key or false, its domain or false
      local key, domain = r[EMAIL_KEY], r[DOMAIN]
      is_so, takes = not (key or domain) or (a and (key == a or domain == b)), 3
    elseif word == 7 then -- Grantable pairs: NUL NUL grantor's role NUL granted role, …
      is_so, takes = not r[GRANTOR] or string.find(a,
        '\0\0' .. r[GRANTOR_ROLE] .. '\0' .. r[ROLE] .. '\0\0', 1, true), 2
    elseif word == 8 then -- Version
      is_so, takes = r[VERSION] == a, 2
    elseif word == 9 then -- FirstHoldBy user
      is_so, takes = not own_lease(a), 2
    elseif word == 10 then -- UseFree
      is_so = r[USES] + r[HELD] < r[MAX_USES]
    elseif word == 11 then -- LeaseExpired now
      is_so, takes = first and not earlier(a, first[UNTIL]), 2
    elseif word == 12 then -- HoldsLease user, lease
      is_so, takes = own_lease(a) and lease[ITS_ID] == b, 3
    elseif word == 13 then -- OwnLeaseExpired user, now
      is_so, takes = own_lease(a) and not earlier(b, lease[UNTIL]), 3
    elseif word == 14 then -- MailboxUnused key
      local is_used = mailbox_use and mailbox_use[MAILBOX_OF_USE] == a
      is_so, takes = not r[DOMAIN] or not (is_used or lease_with(a)), 2
    elseif word == 15 then -- MailboxLeaseExpired key, now
      is_so, takes = lease_with(a) and not earlier(b, mailbox_lease[UNTIL]), 3
    end
    if not is_so then return false end
    n = n + takes
  end
  return true
end

-- Ends the lease whose use is taken, and returns it: {1, its id} is the user's own lease,
-- {2, now} the first lease and {3, now} the lease with the mailbox, if it has expired.
local function take(id, held)
  local ended
  if held[1] == 1 then
    ended = lease and lease[ITS_ID] == held[2] and lease
  else
    local other = held[1] == 2 and first or held[1] == 3 and mailbox_lease
    ended = other and not earlier(held[2], other[UNTIL]) and other
  end
  if ended then
    end_lease(id, ended)
    if lease and lease[ITS_ID] == ended[ITS_ID] then lease = nil end
    if mailbox_lease and mailbox_lease[ITS_ID] == ended[ITS_ID] then mailbox_lease = nil end
    r[HELD] = math.max(r[HELD] - 1, 0)
  end
  return ended
end

-- Adds the search terms of a redeemer's name. Those of earlier redeemers stay.
local function add_name(id, user, words)
  put_words(id, words, true)
  r[NAME_WORDS] = words
  if r[MAX_USES] > 1 then
    for word in string.gmatch(words, '[^%z]+') do
      put({ 'v' .. id .. word .. '\0' .. user }, true)
    end
  end
end

-- Applies a change that leaves the terms alone. Of the invitation's own index entries, it
-- moves the state at most. `ended` is the lease whose use is taken.
local function use(id, change, ended)
  local st = state(r)
  local at = ended_at(r, st)
  local mailbox = r[DOMAIN] and address_of(change)
  if change[1] == 1 then
    -- Redeem held, id, user, username, at, own lease or false, words, address or false
    local kept = mailbox
    if change[7] then kept = ended and ended[MAILBOX_OF_LEASE] end
    mine = { change[3], change[4], change[5], change[6], r[ROLE], change[7], kept or false }
    r[USES], r[LAST_USE] = r[USES] + 1, mine
    if mailbox then mailbox_use = mine end
    add_name(id, change[4], change[8])
    if r[MAX_USES] > 1 then
      write('HSET', REDEMPTIONS, id .. change[4], pack(mine))
      put({ 'u' .. id .. change[6] .. change[3] .. change[4] }, true)
      if kept then put({ of_mailbox('n', id, kept) .. change[4] }, true) end
    end
  elseif change[1] == 2 then -- Hold held, {id, user, username, since, until, address or false}
    lease = change[3]
    if earlier(r[EXPIRES], lease[UNTIL]) then lease[UNTIL] = r[EXPIRES] end
    lease[MAILBOX_OF_LEASE], lease[DIVISION_OF_LEASE] = mailbox, r[DIVISION]
    if mailbox then mailbox_lease = lease end
    write('HSET', LEASES, id .. lease[ITS_USER], pack(lease))
    put(lease_entries(id, lease), true)
    r[HELD] = r[HELD] + 1
  end -- 3 Release held
  local st_then = state(r)
  local at_then = ended_at(r, st_then)
  if st_then ~= st or at_then ~= at then
    put(state_entries(id, r, st, at), false)
    put(state_entries(id, r, st_then, at_then), true)
  end
end

-- Applies a change of the terms, which may move every index entry.
local function amend(id, change)
  put_all(id, r, false)
  local word, grantor, new = change[1], change[2], change[3]
  if grantor then r[GRANTOR], r[GRANTOR_ROLE], r[GRANTOR_NAME] = unpack(grantor) end
  if word == 4 then
    -- Amend grantor, {email, key, domain, words} or false, role or false, expiry or false
    if new then r[EMAIL], r[EMAIL_KEY], r[DOMAIN], r[ADDRESS_WORDS] = unpack(new) end
    if change[4] then r[ROLE] = change[4] end
    if change[5] then r[EXPIRES] = change[5] end
  elseif word == 5 or word == 9 then
    -- Rotate grantor, digest, tag, sealed; Reseal false, digest, tag, sealed
    if new ~= r[DIGEST] then
      write('HSET', CODES, new, id)
      write('HDEL', CODES, r[DIGEST])
    end
    r[DIGEST], r[TAG], r[SEALED] = new, change[4], change[5]
  elseif word == 6 then -- Revoke false, {at, reason or false}
    r[REVOCATION] = new
  elseif word == 7 then -- Reinstate grantor
    r[REVOCATION] = false
  elseif word == 8 then -- Delete false, at
    r[DELETED] = new
  end
  put_all(id, r, true)
end

local function next_version(version)
  local high, low = struct.unpack('>I4I4', version)
  if low == 4294967295 then high, low = high + 1, 0 else low = low + 1 end
  return struct.pack('>I4I4', high, low)
end

-- Formats an id as text.
local function uuid(id)
  local hex = string.gsub(id, '.', function(c) return string.format('%02x', string.byte(c)) end)
  return (string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)',
    '%1-%2-%3-%4-'))
end

local function make(id, t)
  local change, ended = t[6], nil
  begun = true
  if change[1] <= 3 then
    if change[2] then ended = take(id, change[2]) end
    use(id, change, ended)
  else
    amend(id, change)
  end
  if t[8] then
    end_all_leases(id)
    r[HELD], lease, mailbox_lease = 0, nil, nil
  end
  if t[9] then r[VERSION] = next_version(r[VERSION]) end
  local blob = pack(r)
  write('HSET', INVITATIONS, id, blob)
  first = r[HELD] > 0 and first_lease(id)

  local behind = t[14]
  if ended and t[15] and ended[ITS_USER] ~= t[7] then
    behind = t[15][1] .. pack(t[15][2] .. uuid(ended[ITS_ID]) .. t[15][3], false)
  end
  local about, division = id, r[DIVISION]
  if t[16] then
    if call('HEXISTS', EVENTS, t[10]) == 1 then return blob end
    about, division = false, t[3]
  end
  write('HSET', EVENTS, t[10], t[13] .. pack(about, division) .. behind)
  tell(t[10], t[11], t[12], about, division, t[17])
  return blob
end

local function one(packed)
  local t = read(packed)
  local id = t[1] or by_digest(t[2])
  local blob = id and call('HGET', INVITATIONS, id)
  r = blob and read(blob)
  if not r or (t[3] and r[DIVISION] ~= t[3]) then return { 'missing' } end
  local mailbox = r[DOMAIN] and address_of(t[6])
  mine, lease, first, mailbox_use, mailbox_lease = facts_about(id, r, t[7], mailbox)
  local on_record = not t[16] and call('HGET', EVENTS, t[10])
  if on_record then
    -- An event of another invitation already has this id, so nothing is written.
    return answer(read(on_record)[EV_ABOUT] == id and 'replayed' or 'refused', id, blob)
  end
  -- A code does not find a tombstone, unless the redeemer has redeemed it (Target::finds).
  if r[DELETED] and not t[1] and not mine then return { 'missing' } end
  if not holds(t[4]) then return answer('refused', id, blob) end
  local full = t[5] and first_full(t[5])
  if full then return { 'quota', full } end
  local change = t[6]
  local word, new = change[1], change[3]
  -- A re-sealed code may keep its digest.
  local moves = word == 5 or (word == 9 and new ~= r[DIGEST])
  if moves and call('HEXISTS', CODES, new) == 1 then return { 'taken' } end
  return answer('applied', id, make(id, t))
end

return guarded(function()
  local answers = {}
  for n = 2, #ARGV do
    begun = false
    local is_done, answered = pcall(one, ARGV[n])
    if not is_done then
      local refused = is_servers(answered)
      -- When a server refuses the first write, for example because its memory is full, it
      -- refuses all writes. Pending index entries belong to all earlier transitions of the
      -- script, so that none of them has a known outcome when they cannot be written.
      if (written == 0 and refused) or settling then error({ err = answered }) end
      answered = { (begun or refused) and 'failed' or 'unreadable', answered }
    end
    answers[n - 1] = answered
  end
  settle()
  touch(ARGV[1] == '1')
  return answers
end)
