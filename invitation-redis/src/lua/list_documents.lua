-- Reads the documents of a range of the index.
--
-- KEYS  those of the namespace.
-- ARGV  1 'backwards' from the end or 'forwards', 2 the maximum number, 3 the beginning and 4 the
--       end of the range, 5 the number of bytes of an entry before its time, 6 the kind.
-- Returns {name, record, name, record, …}.

local found
if ARGV[1] == 'forwards' then
  found = call('ZRANGEBYLEX', DOCUMENT_INDEX, ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[2])
else
  found = call('ZREVRANGEBYLEX', DOCUMENT_INDEX, ARGV[4], ARGV[3], 'LIMIT', 0, ARGV[2])
end
local page, fields = {}, {}
for n, entry in ipairs(found) do
  -- The name follows the 8 bytes of the time.
  local name = string.sub(entry, ARGV[5] + 9)
  page[2 * n - 1], fields[n] = name, document_field(ARGV[6], name)
end
for from = 1, #fields, 1000 do
  local records = call('HMGET', DOCUMENTS, unpack(fields, from, math.min(from + 999, #fields)))
  for n, record in ipairs(records) do page[2 * (from + n - 1)] = record end
end
return page
