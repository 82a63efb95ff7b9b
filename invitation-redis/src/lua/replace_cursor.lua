-- Stores a cursor in place of the one with the version before, unless that has a later claim.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 the name, 3 the version before, of 8 bytes, 4 the
--       cursor: it begins with its version, and ends with the number of its claim, of 8 bytes.
-- Returns {'replaced'}, {'kept'}, or {'failed', message}.

return guarded(function()
  local field = 'c' .. ARGV[2]
  local stored = call('HGET', CURSORS, field)
  local version = stored and string.sub(stored, 1, 8) or string.rep('\0', 8)
  local is_late = stored and earlier(string.sub(ARGV[4], -8), string.sub(stored, -8))
  if version ~= ARGV[3] or is_late then
    touch(ARGV[1] == '1')
    return { 'kept' }
  end
  write('HSET', CURSORS, field, ARGV[4])
  return { 'replaced' }
end)
