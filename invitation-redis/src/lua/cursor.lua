-- Returns the stored cursor of a name.
--
-- KEYS  those of the namespace.
-- ARGV  1 the name.

return { call('HGET', CURSORS, 'c' .. ARGV[1]) }
