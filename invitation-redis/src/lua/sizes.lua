-- Counts the entries of ranges of the index, without reading them.
--
-- KEYS  those of the namespace.
-- ARGV  for each range: its beginning, its end.
-- Returns the number of entries of each range.

local sizes = {}
for at = 1, #ARGV, 2 do
  sizes[#sizes + 1] = call('ZLEXCOUNT', INDEX, ARGV[at], ARGV[at + 1])
end
return sizes
