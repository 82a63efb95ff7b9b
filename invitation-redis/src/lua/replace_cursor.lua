-- Stores a cursor in place of the one with the version before.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 the name, 3 the version before, of 8 bytes, 4 the
--       cursor, beginning with its version.
-- Returns {'replaced'}, {'kept'}, or {'failed', message}.

return guarded(function()
  local field = 'c' .. ARGV[2]
  local stored = call('HGET', CURSORS, field)
  local version = stored and string.sub(stored, 1, 8) or string.rep('\0', 8)
  if version ~= ARGV[3] then
    touch(ARGV[1] == '1')
    return { 'kept' }
  end
  write('HSET', CURSORS, field, ARGV[4])
  return { 'replaced' }
end)
