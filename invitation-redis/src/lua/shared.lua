-- Code that all scripts share. Each script is sent as this file followed by its own.
--
-- KEYS, the same thirteen for every script, all in the slot of the namespace:
--   1 invitations  hash  id -> record
--   2 codes        hash  digest -> id
--   3 events       hash  id -> event
--   4 index        zset  of invitations, leases and redemptions, all of score 0
--   5 trail        zset  of events, all of score 0
--   6 redemptions  hash  invitation, user -> redemption (of codes for several uses)
--   7 leases       hash  invitation, user -> lease
--   8 requests     hash  idempotency key -> {fingerprint, ids one after another, results or
--                        false, time from which the key counts as absent or false}
--   9 feed         list  of the ids of events, in the order of writing, behind one element
--                        that is no event
--  10 cursors      hash  'c', name -> version (8 bytes), cursor; 'e' -> epochs of the feed;
--                        'p' -> the number of events that were removed from the feed
--  11 documents    hash  kind, name -> document
--  12 document_index  zset  of documents, all of score 0
--  13 budgets      hash  key -> minute, ':', tokens taken in it; '' -> HSCAN cursor, where the
--                        removal of old counts continues
--
-- Records are MessagePack arrays; an absent field is `false`. Times and versions are 8
-- bytes, most significant first, so that they sort correctly as text. Lua numbers are exact
-- only up to 2^53, which microseconds exceed in the year 2255.

local call = redis.call
local pack, read = cmsgpack.pack, cmsgpack.unpack
-- rights.lua passes the keys as arguments, because it also runs on nodes that do not have
-- them.
local names = KEYS[1] and KEYS or ARGV
local INVITATIONS, CODES, EVENTS, INDEX = names[1], names[2], names[3], names[4]
local TRAIL, REDEMPTIONS, LEASES, REQUESTS = names[5], names[6], names[7], names[8]
local FEED, CURSORS, DOCUMENTS, DOCUMENT_INDEX = names[9], names[10], names[11], names[12]
local BUDGETS = names[13]

-- The fields of an invitation.
local DIGEST, TAG, SEALED, EMAIL, EMAIL_KEY, DOMAIN = 1, 2, 3, 4, 5, 6
local ROLE, DIVISION, INVITER, INVITER_ROLE, INVITER_NAME = 7, 8, 9, 10, 11
local GRANTOR, GRANTOR_ROLE, GRANTOR_NAME = 12, 13, 14
local CREATED, EXPIRES, MAX_USES, USES, HELD = 15, 16, 17, 18, 19
local LAST_USE, REVOCATION, DELETED, VERSION, BATCH, METADATA = 20, 21, 22, 23, 24, 25
-- Search terms are separated by NUL. The record has those of the address and of the latest
-- redeemer's name; 'v' entries of the index have those of all redeemers of a code for several uses. Of a request, the record has its key and the first id
-- that it created.
local ADDRESS_WORDS, NAME_WORDS, REQUEST, REQUEST_FIRST = 26, 27, 28, 29

-- Of a redemption: id, user, username, at, role, lease, mailbox. Of a lease: id, user,
-- username, since, until, mailbox, division. Of a revocation: at, reason.
local ITS_ID, ITS_USER, ITS_AT, UNTIL = 1, 2, 4, 5
local MAILBOX_OF_USE, MAILBOX_OF_LEASE, DIVISION_OF_LEASE = 7, 6, 7

-- Of an event: at, user, role, name, action, outcome, reason, invitation,
-- division, correlation, source, detail, operation.
local EV_AT, EV_USER, EV_ABOUT, EV_DIVISION, EV_CORRELATION = 1, 2, 8, 9, 10
local EV_DETAIL, EV_OPERATION = 12, 13

-- Returns whether time a is before time b.
local function earlier(a, b)
  local a_high, a_low = struct.unpack('>I4I4', a)
  local b_high, b_low = struct.unpack('>I4I4', b)
  return a_high < b_high or (a_high == b_high and a_low < b_low)
end

-- Prefixes a text with its length, so that it cannot run into the next text. None is longer
-- than 255 bytes.
local function sized(text)
  return string.char(#text) .. text
end

-- Returns the stored state of an invitation: t deleted, u used, r revoked, o open. Open
-- invitations are active or expired, depending on the caller's clock.
local function state(r)
  if r[DELETED] then return 't' end
  if r[USES] >= r[MAX_USES] then return 'u' end
  if r[REVOCATION] then return 'r' end
  return 'o'
end

-- Returns the time at which the invitation ended or will end (Invitation::ended_at).
local function ended_at(r, st)
  if st == 't' then return r[DELETED] end
  if st == 'u' then return r[LAST_USE] and r[LAST_USE][ITS_AT] end
  if st == 'r' then return r[REVOCATION][1] end
  return r[EXPIRES]
end

-- Returns the index entries of an invitation that depend on its state and on its end.
local function state_entries(id, r, st, at)
  local division, found = sized(r[DIVISION]), {}
  local place = r[CREATED] .. id
  if st == 't' then
    -- Only an erasure needs it; it goes through the invitations of all states.
    found[1] = 'st' .. place
  else
    found[1], found[2] = 's' .. st .. place, 't' .. st .. division .. place
    if st == 'o' then
      if r[INVITER] then found[3] = 'q' .. sized(r[INVITER]) .. r[EXPIRES] .. id end
      if r[EMAIL_KEY] then
        found[#found + 1] = 'e' .. sized(r[EMAIL_KEY]) .. division .. r[EXPIRES] .. id
      end
    end
  end
  if at then
    found[#found + 1] = 'y' .. st .. division .. at .. id
    -- Only a purge needs the entries of the other states; it scans by division.
    if st == 'o' then found[#found + 1] = 'x' .. st .. at .. id end
  end
  return found
end

-- The number of write commands that have succeeded. Redis does not undo them when the
-- script fails later.
local written = 0

-- Returns the commands that a script may need after its first write, each with its keys.
local function write_rights()
  return {
    { 'HGET', INVITATIONS, CODES, EVENTS, REDEMPTIONS, LEASES, REQUESTS, DOCUMENTS, BUDGETS },
    { 'HEXISTS', INVITATIONS, CODES, EVENTS, DOCUMENTS },
    { 'HSET', INVITATIONS, CODES, EVENTS, REDEMPTIONS, LEASES, REQUESTS, CURSORS, DOCUMENTS, BUDGETS },
    { 'RPUSH', FEED },
    { 'LTRIM', FEED },
    { 'HDEL', INVITATIONS, CODES, EVENTS, REDEMPTIONS, LEASES, REQUESTS, CURSORS, DOCUMENTS, BUDGETS },
    { 'ZRANGEBYLEX', INDEX, DOCUMENT_INDEX },
    { 'ZLEXCOUNT', INDEX },
    { 'ZADD', INDEX, TRAIL, DOCUMENT_INDEX },
    { 'ZREM', INDEX, TRAIL, DOCUMENT_INDEX },
  }
end

-- Arguments that make a command complete, as the server's check requires.
local ARGUMENTS = {
  HGET = { '' }, HMGET = { '' }, HEXISTS = { '' }, HSET = { '', '' }, HDEL = { '' },
  ZRANGEBYLEX = { '-', '-' }, ZREVRANGEBYLEX = { '-', '-' }, ZLEXCOUNT = { '-', '-' },
  ZADD = { '0', '' }, ZREM = { '' }, RPUSH = { '' }, LLEN = {}, LRANGE = { '0', '0' },
  LTRIM = { '0', '0' }, HGETALL = {}, HSCAN = { '0' },
}

-- Returns whether the user may run a command, without running it. For a command that the
-- server does not know, because an operator renamed it, the check raises an error.
local function may(...)
  local is_known, is_allowed = pcall(redis.acl_check_cmd, ...)
  return is_known and is_allowed
end

-- Appends the commands and keys that the user may not use to a list, as text.
local function add_missing(missing, rights)
  for _, right in ipairs(rights) do
    local command = right[1]
    for n = 2, #right do
      if not may(command, right[n], unpack(ARGUMENTS[command])) then
        missing[#missing + 1] = command .. ' ' .. right[n]
      end
    end
  end
  return missing
end

-- Returns whether the user may run each of these commands, and write to each key. Opening a
-- store checks every command on every key. This quick check runs before every change, for
-- rights that are removed later.
local function may_change()
  local can = redis.acl_check_cmd
  return can('HSET', INVITATIONS, '', '') and can('HSET', CODES, '', '')
    and can('HSET', EVENTS, '', '') and can('HSET', REDEMPTIONS, '', '')
    and can('HSET', LEASES, '', '') and can('HSET', REQUESTS, '', '')
    and can('ZADD', INDEX, '0', '') and can('ZADD', TRAIL, '0', '')
    and can('HDEL', LEASES, '') and can('ZREM', INDEX, '')
    and can('HGET', LEASES, '') and can('HGET', REDEMPTIONS, '')
    and can('HEXISTS', EVENTS, '')
    and can('RPUSH', FEED, '') and can('HSET', CURSORS, '', '')
    and can('ZRANGEBYLEX', INDEX, '-', '-') and can('ZLEXCOUNT', INDEX, '-', '-')
end

-- Runs a write command. Before the first one of the script, checks the rights: a right that
-- is missing later would leave a half-made change.
local function write(...)
  if written == 0 and not may_change() then
    local missing = add_missing({}, write_rights())[1] or 'a command'
    error({ err = 'NOPERM the user may not run ' .. missing })
  end
  local answer = call(...)
  written = written + 1
  return answer
end

-- Returns whether an error came from the server: it then begins with a code in capitals. A
-- Lua error begins with the position in the script.
local function is_servers(message)
  return string.find(message, '^%u[%u%d]* ')
end

-- Returns the result of `body`. If `body` fails before the first write, the script fails,
-- and the caller knows that nothing was done. If it fails later, its writes stay, and the
-- answer is {'failed', message}.
local function guarded(body)
  local is_done, answer = pcall(body)
  if is_done then return answer end
  local message = type(answer) == 'table' and answer.err or tostring(answer)
  if written > 0 then return { 'failed', message } end
  error({ err = is_servers(message) and message or 'ERR ' .. message })
end

-- Pending writes: for each index entry whether it must exist (the last assignment counts),
-- scores and entries for the trail, and ids for the feed. A script writes them all at once,
-- because a command costs as much as several entries.
local moved, told, fed = {}, {}, {}

local function put(entries, is_there)
  for n = 1, #entries do moved[entries[n]] = is_there end
end

local function put_words(id, words, is_there)
  for word in string.gmatch(words, '[^%z]+') do
    moved['w' .. word .. '\0' .. id] = is_there
  end
end

-- Returns the term and the user of an index entry of a redeemer's name: 'v', the id of the
-- invitation, the term, NUL, and the user. Only codes for several uses have such entries.
local function term_and_user(entry)
  local at = string.find(entry, '\0', 18, true)
  return string.sub(entry, 18, at - 1), string.sub(entry, at + 1)
end

-- Adds or removes all index entries of an invitation. They are a function of its record, so
-- that they cannot disagree with it.
local function put_all(id, r, is_there)
  local st = state(r)
  put(state_entries(id, r, st, ended_at(r, st)), is_there)
  if st == 't' then return end
  local place = r[CREATED] .. id
  put({ 'r' .. sized(r[ROLE]) .. place, 'g' .. r[TAG] .. id }, is_there)
  if r[BATCH] then put({ 'b' .. r[BATCH] .. place }, is_there) end
  if r[INVITER] then put({ 'i' .. sized(r[INVITER]) .. place }, is_there) end
  put_words(id, r[ADDRESS_WORDS], is_there)
  put_words(id, r[NAME_WORDS], is_there)
end

-- Runs a command on many members, in chunks that fit the Lua stack.
local function in_pieces(command, key, words)
  for first = 1, #words, 2000 do
    write(command, key, unpack(words, first, math.min(first + 1999, #words)))
  end
end

-- Appends the pending ids to the feed. An append that finds the feed empty puts the element in front
-- that is no event: the server lost all data while a store was open, so no script has laid out the
-- namespace. Without that element, the first event would not be read.
local function append_to_feed()
  for first = 1, #fed, 2000 do
    local last = math.min(first + 1999, #fed)
    if write('RPUSH', FEED, unpack(fed, first, last)) == last then
      write('LTRIM', FEED, 1, 0)
      write('RPUSH', FEED, '', unpack(fed, first, last))
    end
  end
end

-- Whether pending entries are being written. It stays true when that fails.
local settling = false

-- Writes all pending index and trail entries: at the end, and before the index is read.
local function settle()
  settling = true
  if next(moved) then
    local add, remove = {}, {}
    local added, removed = 0, 0
    for entry, is_there in pairs(moved) do
      if is_there then
        add[added + 1], add[added + 2] = '0', entry
        added = added + 2
      else
        removed = removed + 1
        remove[removed] = entry
      end
    end
    moved = {}
    in_pieces('ZADD', INDEX, add)
    in_pieces('ZREM', INDEX, remove)
  end
  in_pieces('ZADD', TRAIL, told)
  append_to_feed()
  told, fed, settling = {}, {}, false
end

-- Returns the prefix of the index entry that leads from a mailbox to its user: 'n' for a
-- redemption of a code for several uses, 'h' for a lease.
local function of_mailbox(letter, id, mailbox)
  return letter .. id .. sized(mailbox)
end

-- Returns the index entries of a lease: by its end, by its beginning in all divisions, by
-- its beginning within its division, and by its mailbox if it has one.
local function lease_entries(id, lease)
  local began = lease[4] .. lease[ITS_ID] .. id .. lease[ITS_USER]
  local mailbox = lease[MAILBOX_OF_LEASE]
  return {
    'f' .. id .. lease[UNTIL] .. lease[ITS_ID] .. lease[ITS_USER],
    'l' .. began,
    'm' .. sized(lease[DIVISION_OF_LEASE]) .. began,
    mailbox and of_mailbox('h', id, mailbox) .. lease[ITS_USER] or nil,
  }
end

-- Returns the users of the index entries (leases or redemptions) that begin with a prefix.
-- The user follows `skip` more bytes.
local function users(prefix, skip, limit)
  settle()
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

-- Returns the first lease on an invitation to expire.
local function first_lease(id)
  local user = users('f' .. id, 24, 1)[1]
  return user and lease_of(id, user)
end

-- Returns the redemption of any user with a mailbox.
local function use_with(id, r, mailbox)
  local last = r[LAST_USE]
  if last and last[MAILBOX_OF_USE] == mailbox then return last end
  local user = r[MAX_USES] > 1 and users(of_mailbox('n', id, mailbox), 0, 1)[1]
  local found = user and call('HGET', REDEMPTIONS, id .. user)
  return found and read(found)
end

-- Returns the facts about a user and a mailbox besides the record of the invitation: the
-- user's redemption and lease, the first lease of all users, and the redemption and lease of
-- any user with the mailbox.
local function facts_about(id, r, user, mailbox)
  local mine, lease, first, mailbox_use, mailbox_lease
  local last = r[LAST_USE]
  if user then
    if last and last[ITS_USER] == user then
      mine = last
    elseif r[MAX_USES] > 1 then
      local found = call('HGET', REDEMPTIONS, id .. user)
      mine = found and read(found)
    end
  end
  if r[HELD] > 0 then
    lease = user and lease_of(id, user)
    first = first_lease(id)
    local holder = mailbox and users(of_mailbox('h', id, mailbox), 0, 1)[1]
    mailbox_lease = holder and lease_of(id, holder)
  end
  mailbox_use = mailbox and use_with(id, r, mailbox)
  return mine, lease, first, mailbox_use, mailbox_lease
end

-- Returns facts as an answer: {word, id, record, mine, lease, first lease, use and lease of
-- the mailbox}. A redemption that is the last use is 1.
local function facts_answer(word, id, blob, r, mine, lease, first, mailbox_use, mailbox_lease)
  local function redemption(made) return made and (made == r[LAST_USE] or pack(made)) or false end
  return {
    word, id, blob,
    redemption(mine),
    lease and pack(lease) or false,
    first and pack(first) or false,
    redemption(mailbox_use),
    mailbox_lease and pack(mailbox_lease) or false,
  }
end

local function end_lease(id, lease)
  write('HDEL', LEASES, id .. lease[ITS_USER])
  put(lease_entries(id, lease), false)
end

-- Ends all leases on an invitation, and returns their number.
local function end_all_leases(id)
  local holders = users('f' .. id, 24)
  for _, user in ipairs(holders) do
    local lease = lease_of(id, user)
    if lease then end_lease(id, lease) end
  end
  return #holders
end

-- Adds an event to the feed and its entries to the trail: by its time in all divisions, within
-- its division, by its invitation, by its user, and by its correlation id.
local function tell(id, at, user, about, division, correlation)
  local place, n = at .. id, #told
  fed[#fed + 1] = id
  told[n + 1], told[n + 2] = '0', 'a' .. place
  n = n + 2
  if division then
    told[n + 1], told[n + 2] = '0', 'd' .. sized(division) .. place
    n = n + 2
  end
  if about then
    told[n + 1], told[n + 2] = '0', 'i' .. about .. place
    n = n + 2
  end
  if user then
    told[n + 1], told[n + 2] = '0', 'u' .. sized(user) .. place
    n = n + 2
  end
  if correlation then told[n + 1], told[n + 2] = '0', 'c' .. sized(correlation) .. place end
end

local function write_event(id, event)
  write('HSET', EVENTS, id, pack(event))
  tell(id, event[EV_AT], event[EV_USER], event[EV_ABOUT], event[EV_DIVISION],
    event[EV_CORRELATION])
end

-- Returns the invitation id for the first known digest, of 32 bytes each.
local function by_digest(digests)
  for at = 1, #digests, 32 do
    local id = call('HGET', CODES, string.sub(digests, at, at + 31))
    if id then return id end
  end
end

-- Returns whether a quota has room, and its number of pending invitations. A quota has a
-- kind, a name, and the first instant at which its invitations must not have expired.
local function has_room(quota)
  local kind, name, max, adds, from = unpack(quota)
  local prefix = (kind == 1 and 'q' or 'yo') .. sized(name)
  settle()
  local pending = call('ZLEXCOUNT', INDEX, '[' .. prefix .. from, '(' .. prefix .. '\255')
  return pending + adds <= max, pending
end

-- Returns the number of the first quota without room, and its current count.
local function first_full(quotas)
  for n, quota in ipairs(quotas) do
    local room, pending = has_room(quota)
    if not room then return n, pending end
  end
end

-- Writes a marker field. WAIT counts the replicas that have the last write of its
-- connection, so an answer without any write would prove nothing about earlier changes.
local function touch(wanted)
  if wanted then write('HSET', EVENTS, '', '') end
end
