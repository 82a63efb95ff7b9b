-- What all scripts share. Each script is this file and its own, as one text.
--
-- KEYS, the same eight for every script, all in the slot of the namespace:
--   1 invitations  hash  id -> record
--   2 codes        hash  digest -> id
--   3 events       hash  id -> event
--   4 index        zset  of invitations, leases and redemptions, all of score 0
--   5 trail        zset  of events, all of score 0
--   6 redemptions  hash  invitation, user -> redemption (of codes for several uses)
--   7 leases       hash  invitation, user -> lease
--   8 requests     hash  idempotency key -> fingerprint, ids
--
-- Records are MessagePack arrays; an absent field is `false`. Times and versions are
-- 8 bytes, most significant first, that order as they do: a number of Lua is exact
-- to 2^53 only, which the year 2255 exceeds in microseconds.

local call = redis.call
local pack, read = cmsgpack.pack, cmsgpack.unpack
local INVITATIONS, CODES, EVENTS, INDEX = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local TRAIL, REDEMPTIONS, LEASES, REQUESTS = KEYS[5], KEYS[6], KEYS[7], KEYS[8]

-- The fields of an invitation.
local DIGEST, TAG, SEALED, EMAIL, EMAIL_KEY, DOMAIN = 1, 2, 3, 4, 5, 6
local ROLE, DIVISION, INVITER, INVITER_ROLE, CREATED, EXPIRES = 7, 8, 9, 10, 11, 12
local MAX_USES, USES, HELD, LAST_USE, REVOCATION, DELETED = 13, 14, 15, 16, 17, 18
local VERSION, BATCH, METADATA = 19, 20, 21
-- Words are separated by NUL; of a request, the key and the first id it created.
local ADDRESS_WORDS, NAME_WORDS, REQUEST, REQUEST_FIRST = 22, 23, 24, 25

-- Of a redemption: id, user, username, at, role, lease. Of a lease: id, user,
-- username, since, until, division. Of a revocation: at, reason.
local ITS_ID, ITS_USER, ITS_AT, UNTIL = 1, 2, 4, 5

-- Of an event: at, user, role, username, action, outcome, reason, invitation,
-- division, correlation, source, detail, operation.
local EV_AT, EV_USER, EV_ABOUT, EV_DIVISION, EV_DETAIL, EV_OPERATION = 1, 2, 8, 9, 12, 13

-- Whether the time a is before the time b.
local function earlier(a, b)
  local a_high, a_low = struct.unpack('>I4I4', a)
  local b_high, b_low = struct.unpack('>I4I4', b)
  return a_high < b_high or (a_high == b_high and a_low < b_low)
end

-- A text that cannot run into what follows it. None is longer than 255 bytes.
local function sized(text)
  return string.char(#text) .. text
end

-- What is stored of an invitation's state: t deleted, u used, r revoked, o open.
-- Open ones are active or expired, by the clock of who asks.
local function state(r)
  if r[DELETED] then return 't' end
  if r[USES] >= r[MAX_USES] then return 'u' end
  if r[REVOCATION] then return 'r' end
  return 'o'
end

-- When it was, or will be, over.
local function over(r, st)
  if st == 't' then return r[DELETED] end
  if st == 'u' then return r[LAST_USE] and r[LAST_USE][ITS_AT] end
  if st == 'r' then return r[REVOCATION][1] end
  return r[EXPIRES]
end

-- The entries of an invitation in the index, as a set: a function of its record, so
-- that they cannot disagree with it.
local function entries(id, r)
  local st, found = state(r), {}
  local division, place = sized(r[DIVISION]), r[CREATED] .. id
  if st ~= 't' then
    found['s' .. st .. place] = true
    found['t' .. st .. division .. place] = true
    found['r' .. sized(r[ROLE]) .. place] = true
    found['g' .. r[TAG] .. id] = true
    if r[BATCH] then found['b' .. r[BATCH] .. place] = true end
    if r[INVITER] then
      found['i' .. sized(r[INVITER]) .. place] = true
      if st == 'o' then found['q' .. sized(r[INVITER]) .. r[EXPIRES] .. id] = true end
    end
    for word in string.gmatch(r[ADDRESS_WORDS], '[^%z]+') do
      found['w' .. word .. '\0' .. id] = true
    end
    for word in string.gmatch(r[NAME_WORDS], '[^%z]+') do
      found['w' .. word .. '\0' .. id] = true
    end
  end
  local at = over(r, st)
  if at then
    found['x' .. st .. at .. id] = true
    found['y' .. st .. division .. at .. id] = true
  end
  return found
end

-- Commands with many members, in pieces that fit the stack.
local function zadd(key, members)
  local args = {}
  for _, member in ipairs(members) do
    args[#args + 1] = 0
    args[#args + 1] = member
    if #args >= 2000 then
      call('ZADD', key, unpack(args))
      args = {}
    end
  end
  if #args > 0 then call('ZADD', key, unpack(args)) end
end

local function removal(command, key, members)
  for first = 1, #members, 2000 do
    call(command, key, unpack(members, first, math.min(first + 1999, #members)))
  end
end

-- Replaces some entries of an invitation by others.
local function reindex(gone, new)
  local add, remove = {}, {}
  for entry in pairs(new) do
    if not gone[entry] then add[#add + 1] = entry end
  end
  for entry in pairs(gone) do
    if not new[entry] then remove[#remove + 1] = entry end
  end
  zadd(INDEX, add)
  removal('ZREM', INDEX, remove)
end

-- The entries of a lease in the index: by its end, and by its beginning everywhere
-- and within its division.
local function lease_entries(id, lease)
  local began = lease[4] .. lease[ITS_ID] .. id .. lease[ITS_USER]
  return {
    'f' .. id .. lease[UNTIL] .. lease[ITS_ID] .. lease[ITS_USER],
    'l' .. began,
    'm' .. sized(lease[6]) .. began,
  }
end

-- The users whose leases or redemptions begin with that in the index: what follows
-- `skip` more bytes.
local function users(prefix, skip, limit)
  local found = call('ZRANGEBYLEX', INDEX, '[' .. prefix, '(' .. prefix .. '\255',
    'LIMIT', 0, limit or -1)
  for n, entry in ipairs(found) do
    found[n] = string.sub(entry, #prefix + skip + 1)
  end
  return found
end

local function lease_of(id, user)
  local found = call('HGET', LEASES, id .. user)
  return found and read(found)
end

-- The first lease on an invitation to run out.
local function first_lease(id)
  local user = users('f' .. id, 24, 1)[1]
  return user and lease_of(id, user)
end

local function end_lease(id, lease)
  call('HDEL', LEASES, id .. lease[ITS_USER])
  removal('ZREM', INDEX, lease_entries(id, lease))
end

local function end_all_leases(id)
  for _, user in ipairs(users('f' .. id, 24)) do
    local lease = lease_of(id, user)
    if lease then end_lease(id, lease) end
  end
end

local function write_event(id, event)
  call('HSET', EVENTS, id, pack(event))
  local place = event[EV_AT] .. id
  local where = { 'a' .. place }
  if event[EV_DIVISION] then where[#where + 1] = 'd' .. sized(event[EV_DIVISION]) .. place end
  if event[EV_ABOUT] then where[#where + 1] = 'i' .. event[EV_ABOUT] .. place end
  if event[EV_USER] then where[#where + 1] = 'u' .. sized(event[EV_USER]) .. place end
  zadd(TRAIL, where)
end

-- The id that one of the digests, of 32 bytes each, stands for.
local function by_digest(digests)
  for at = 1, #digests, 32 do
    local id = call('HGET', CODES, string.sub(digests, at, at + 31))
    if id then return id end
  end
end

-- How many that a quota is about are pending: kind, name, and the first instant at
-- which they must not have expired.
local function has_room(quota)
  local kind, name, max, adds, from = unpack(quota)
  local prefix = (kind == 1 and 'q' or 'yo') .. sized(name)
  local pending = call('ZLEXCOUNT', INDEX, '[' .. prefix .. from, '(' .. prefix .. '\255')
  return pending + adds <= max
end

-- The number of the first quota without room.
local function first_full(quotas)
  for n, quota in ipairs(quotas) do
    if not has_room(quota) then return n end
  end
end

-- Something to wait for: WAIT counts the replicas that have what its connection wrote
-- last, so an answer that wrote nothing would be confirmed by nobody having it.
local function touch(wanted)
  if wanted then call('HSET', EVENTS, '', '') end
end
