-- Makes one transition, or says why not.
--
-- KEYS  the eight of the namespace.
-- ARGV  1  MessagePack array:
--            1 id or false, 2 digests of 32 bytes each, 3 division or false (the
--            scope), 4 guard: {word, …}, 5 quotas: {{kind, name, max, adds, from}, …},
--            6 change: {word, held, …}, 7 user or false, 8 ends all leases,
--            9 changes terms, 10 id of the event, 11 the event, 12 the beginning of
--            its detail when the use of another's lease is taken, or false,
--            13 whether to touch.
-- Returns {'applied' | 'replayed' | 'refused', id, record, mine, lease, first lease},
--         {'quota', number of the quota}, {'taken'} or {'missing'}.

local t = read(ARGV[1])
local id, scope, user, event_id, event = t[1], t[3], t[7], t[10], t[11]
if not id then id = by_digest(t[2]) end
local blob = id and call('HGET', INVITATIONS, id)
local r = blob and read(blob)
if not r or (scope and r[DIVISION] ~= scope) then
  touch(t[13])
  return { 'missing' }
end

-- The facts: what the guard is about.
local mine, lease, first
if user then
  if r[LAST_USE] and r[LAST_USE][ITS_USER] == user then
    mine = r[LAST_USE]
  elseif r[MAX_USES] > 1 then
    local found = call('HGET', REDEMPTIONS, id .. user)
    mine = found and read(found)
  end
end
if r[HELD] > 0 then
  lease = user and lease_of(id, user)
  first = first_lease(id)
end

local function answer(word)
  local packed = { word, id, blob, false, false, false }
  if mine then packed[4] = pack(mine) end
  if lease then packed[5] = pack(lease) end
  if first then packed[6] = pack(first) end
  return packed
end

local on_record = call('HGET', EVENTS, event_id)
if on_record then
  touch(t[13])
  -- Under the id of something else, nothing can be written.
  return answer(read(on_record)[EV_ABOUT] == id and 'replayed' or 'refused')
end

-- One function for each word of a guard, by its number in render.rs.
local function own_lease(of)
  return lease and lease[ITS_USER] == of and lease
end
local holds = {
  -- 1 FirstUseBy user
  function(w) return not (mine and mine[ITS_USER] == w[2]) end,
  -- 2 NotDeleted
  function() return not r[DELETED] end,
  -- 3 UsesLeft
  function() return r[USES] < r[MAX_USES] end,
  -- 4 NotRevoked
  function() return not r[REVOCATION] end,
  -- 5 NotExpired now
  function(w) return earlier(w[2], r[EXPIRES]) end,
  -- 6 AddressProved key or false, its domain or false
  function(w)
    if not r[EMAIL_KEY] and not r[DOMAIN] then return true end
    if not w[2] then return false end
    return r[EMAIL_KEY] == w[2] or r[DOMAIN] == w[3]
  end,
  -- 7 Grantable inviter's role, granted role, …
  function(w)
    if not r[INVITER] then return true end
    for n = 2, #w, 2 do
      if w[n] == r[INVITER_ROLE] and w[n + 1] == r[ROLE] then return true end
    end
    return false
  end,
  -- 8 Version
  function(w) return r[VERSION] == w[2] end,
  -- 9 FirstHoldBy user
  function(w) return not own_lease(w[2]) end,
  -- 10 UseFree
  function() return r[USES] + r[HELD] < r[MAX_USES] end,
  -- 11 LeaseRunOut now
  function(w) return first and not earlier(w[2], first[UNTIL]) end,
  -- 12 HoldsLease user, lease
  function(w) return own_lease(w[2]) and lease[ITS_ID] == w[3] end,
  -- 13 OwnLeaseRunOut user, now
  function(w) return own_lease(w[2]) and not earlier(w[3], lease[UNTIL]) end,
}
for _, word in ipairs(t[4]) do
  if not holds[word[1]](word) then
    touch(t[13])
    return answer('refused')
  end
end

local full = first_full(t[5])
if full then
  touch(t[13])
  return { 'quota', full }
end

local change = t[6]
if change[1] == 5 and call('HEXISTS', CODES, change[3]) == 1 then
  touch(t[13])
  return { 'taken' }
end

-- From here on it is made.
local gone = entries(id, r)

-- The lease whose use is taken: {1, its id} the user's own, {2, now} the first, if
-- it has run out.
local ended
local held = change[2]
if held then
  if held[1] == 1 then
    ended = lease and lease[ITS_ID] == held[2] and lease
  else
    ended = first and not earlier(held[2], first[UNTIL]) and first
  end
end
if ended then
  end_lease(id, ended)
  if lease and lease[ITS_ID] == ended[ITS_ID] then lease = nil end
  r[HELD] = math.max(r[HELD] - 1, 0)
end

-- One function for each change, by its number in render.rs.
local make = {
  -- 1 Redeem held, id, user, username, at, lease or false, words of the username
  function(c)
    mine = { c[3], c[4], c[5], c[6], r[ROLE], c[7] }
    r[USES] = r[USES] + 1
    r[LAST_USE] = mine
    r[NAME_WORDS] = c[8]
    if r[MAX_USES] > 1 then
      call('HSET', REDEMPTIONS, id .. c[4], pack(mine))
      zadd(INDEX, { 'u' .. id .. c[6] .. c[3] .. c[4] })
    end
  end,
  -- 2 Hold held, {id, user, username, since, until}
  function(c)
    lease = c[3]
    if earlier(r[EXPIRES], lease[UNTIL]) then lease[UNTIL] = r[EXPIRES] end
    lease[6] = r[DIVISION]
    call('HSET', LEASES, id .. lease[ITS_USER], pack(lease))
    zadd(INDEX, lease_entries(id, lease))
    r[HELD] = r[HELD] + 1
  end,
  -- 3 Release held
  function() end,
  -- 4 Amend false, {email, key, domain, words} or false, role or false, expiry or false
  function(c)
    if c[3] then r[EMAIL], r[EMAIL_KEY], r[DOMAIN], r[ADDRESS_WORDS] = unpack(c[3]) end
    if c[4] then r[ROLE] = c[4] end
    if c[5] then r[EXPIRES] = c[5] end
  end,
  -- 5 Rotate false, digest, tag, sealed
  function(c)
    call('HSET', CODES, c[3], id)
    call('HDEL', CODES, r[DIGEST])
    r[DIGEST], r[TAG], r[SEALED] = c[3], c[4], c[5]
  end,
  -- 6 Revoke false, {at, reason or false}
  function(c) r[REVOCATION] = c[3] end,
  -- 7 Reinstate
  function() r[REVOCATION] = false end,
  -- 8 Delete false, at
  function(c) r[DELETED] = c[3] end,
}
make[change[1]](change)
if t[8] then
  end_all_leases(id)
  r[HELD], lease = 0, nil
end
if t[9] then
  local high, low = struct.unpack('>I4I4', r[VERSION])
  if low == 4294967295 then high, low = high + 1, 0 else low = low + 1 end
  r[VERSION] = struct.pack('>I4I4', high, low)
end

blob = pack(r)
call('HSET', INVITATIONS, id, blob)
reindex(gone, entries(id, r))
first = r[HELD] > 0 and first_lease(id)

event[EV_ABOUT], event[EV_DIVISION] = id, r[DIVISION]
if ended and t[12] and ended[ITS_USER] ~= user then
  local hex = string.gsub(ended[ITS_ID], '.', function(c)
    return string.format('%02x', string.byte(c))
  end)
  local uuid = string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)',
    '%1-%2-%3-%4-')
  event[EV_DETAIL] = t[12] .. uuid .. '"]]'
end
write_event(event_id, event)
return answer('applied')
