-- Takes tokens of a budget of failed guesses. The hash has the counts of one minute only: a call
-- of a later minute empties it, and a call of an earlier one counts in the stored minute.
--
-- KEYS  those of the namespace.
-- ARGV  1 the key of the budget, 2 the minute, 3 the number of tokens.
-- Returns {'taken', tokens taken in that minute}, or {'failed', message}.

return guarded(function()
  local key, minute, tokens = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  local stored = tonumber(call('HGET', BUDGETS, '') or '')
  if not stored or stored < minute then
    write('UNLINK', BUDGETS)
    write('HSET', BUDGETS, '', ARGV[2])
  end
  local taken = tonumber(call('HGET', BUDGETS, key) or '0') + tokens
  write('HSET', BUDGETS, key, string.format('%.0f', taken))
  return { 'taken', taken }
end)
