-- Takes tokens of a budget of failed guesses, as BudgetCount::after_taking specifies: a later
-- minute begins at 0, and tokens of an earlier one count in the stored one. Each key has a minute of
-- its own.
--
-- KEYS  those of the namespace.
-- ARGV  1 the key of the budget, 2 the minute, 3 the number of tokens.
-- Returns {'taken', tokens taken in that minute}, or {'failed', message}.

-- The number of counts that one call examines for removal. It is more than one call adds, so that
-- counts of former minutes do not pile up.
local EXAMINED = 100

-- Returns the minute and the tokens of a stored count, or nothing.
local function count(stored)
  local minute, taken = string.match(stored or '', '^(-?%d+):(%d+)$')
  return tonumber(minute), tonumber(taken)
end

-- Returns where the next call continues, and the keys of old counts that were found.
local function find_old(minute)
  local from = call('HGET', BUDGETS, '')
  if not from or from == '' then from = '0' end
  local next_from, fields = unpack(call('HSCAN', BUDGETS, from, 'COUNT', EXAMINED))
  local old = {}
  for n = 1, #fields, 2 do
    local its_minute = count(fields[n + 1])
    if its_minute and its_minute < minute - 1 then old[#old + 1] = fields[n] end
  end
  return next_from, old
end

return guarded(function()
  local key, minute, tokens = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  local window, taken = count(call('HGET', BUDGETS, key))
  if not window or window < minute then
    window, taken = minute, 0
    local next_from, old = find_old(minute)
    in_pieces('HDEL', BUDGETS, old)
    write('HSET', BUDGETS, '', next_from)
  end
  taken = taken + tokens
  write('HSET', BUDGETS, key, string.format('%.0f:%.0f', window, taken))
  return { 'taken', taken }
end)
