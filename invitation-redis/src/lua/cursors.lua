-- Returns all cursors.
--
-- KEYS  those of the namespace.
-- Returns {name, cursor, name, cursor, …}.

local found, fields = {}, call('HGETALL', CURSORS)
for n = 1, #fields, 2 do
  if string.sub(fields[n], 1, 1) == 'c' then
    found[#found + 1], found[#found + 2] = string.sub(fields[n], 2), fields[n + 1]
  end
end
return found
