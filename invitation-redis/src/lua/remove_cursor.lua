-- Removes a cursor if it has a version.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 the name, 3 the version, of 8 bytes.
-- Returns {'removed'}, {'kept'}, or {'failed', message}.

return guarded(function()
  local field = 'c' .. ARGV[2]
  local stored = call('HGET', CURSORS, field)
  if not stored or string.sub(stored, 1, 8) ~= ARGV[3] then
    touch(ARGV[1] == '1')
    return { 'kept' }
  end
  write('HDEL', CURSORS, field)
  return { 'removed' }
end)
