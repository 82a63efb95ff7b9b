-- Reads the events of the feed behind a position.
--
-- A promotion or a restart may have lost acknowledged writes, and new events then get the
-- sequences of lost ones. It changes the server's replication id. So each call stores this id
-- with the length of the feed, the mark. When the id has changed, a new epoch begins behind the
-- mark: the mark exists, so all events up to it do, too, unchanged. Events behind it appear in
-- the new epoch, also those that an earlier server has handed out and that were not lost.
--
-- KEYS  those of the namespace.
-- ARGV  1 the epoch and 2 the sequence after which the page begins, 3 the maximum number of
--       events.
-- Returns {epoch, epoch before or 0, last sequence before the epoch, 1 if there is more,
--         sequence of the first event, id, event, id, event, …}.

local after_epoch, after, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

-- The replication id, the mark, and for each epoch its number and the last sequence before it.
local stored = call('HGET', CURSORS, 'e')
local own, mark, epochs
if stored then own, mark, epochs = unpack(read(stored)) end

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
-- Clocks of servers differ by less than a day. An epoch that is stored was numbered by one of them,
-- however wrong the clock was.
if after_epoch > math.max(now + 86400000000, epochs and epochs[#epochs - 1] or 0) then
  error({ err = 'ERR the position is of another store' })
end

-- Returns a number for a new epoch. The time makes it differ from that of an epoch that was
-- lost, and that a consumer may know.
local function new_number(last)
  return math.max(now, last + 1, after_epoch + 1)
end

-- The sequence of an event is its index in the list, plus the number of events before the list. The
-- list is empty if the server lost all data while a store was open.
local removed = tonumber(call('HGET', CURSORS, 'p') or '0')
local last = math.max(call('LLEN', FEED) - 1, 0) + removed
local id = string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
if not id then error({ err = 'ERR the server states no replication id' }) end

if not stored then own, mark, epochs = id, 0, { new_number(0), 0 } end
local n = #epochs
local is_new_epoch = not stored
if own ~= id then
  is_new_epoch = true
  local number = new_number(epochs[n - 1])
  -- An epoch without events is replaced, so that there are never more epochs than events.
  if epochs[n] == mark then n = n - 2 end
  epochs[n + 1], epochs[n + 2] = number, mark
  n = n + 2
elseif after_epoch > epochs[n - 1] then
  -- The consumer knows an epoch that this server has lost.
  is_new_epoch = true
  epochs[n - 1] = new_number(epochs[n - 1])
end

-- Returns whether the server refuses all writes for now: without memory, disk or replicas.
local function refuses_writes(answer)
  local reason = type(answer) == 'table' and answer.err and string.match(answer.err, '^%u+')
  return reason == 'OOM' or reason == 'MISCONF' or reason == 'NOREPLICAS'
end

local changed = pack({ id, last, epochs })
if changed ~= stored then
  local answer = redis.pcall('HSET', CURSORS, 'e', changed)
  local is_refused = type(answer) == 'table' and answer.err
  -- An earlier mark only lets more events appear again in the next epoch. A server without memory
  -- must stay readable, because a purge of events reads the feed. A new epoch has to be stored.
  if is_refused and (is_new_epoch or not refuses_writes(answer)) then
    error({ err = answer.err })
  end
end

-- The first epoch that has events for the consumer, or else the latest one.
local at, first, stop = n - 1, last + 1, last
for e = 1, n, 2 do
  local until_next = epochs[e + 3] or last
  local from = math.max(epochs[e + 1], removed)
  if epochs[e] == after_epoch then from = math.max(from, after) end
  if epochs[e] >= after_epoch and from < until_next then
    at, first, stop = e, from + 1, until_next
    break
  end
end
stop = math.min(stop, first + limit - 1)

local answer = { epochs[at], epochs[at - 2] or 0, epochs[at + 1], stop < last and 1 or 0, first }
local ids = first <= stop and call('LRANGE', FEED, first - removed, stop - removed) or {}
for from = 1, #ids, 1000 do
  local upto = math.min(from + 999, #ids)
  for k, event in ipairs(call('HMGET', EVENTS, unpack(ids, from, upto))) do
    answer[#answer + 1], answer[#answer + 2] = ids[from + k - 1], event
  end
end
return answer
