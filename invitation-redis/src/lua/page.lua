-- Reads index entries from the end or the beginning of each range, with their records.
--
-- KEYS  those of the namespace.
-- ARGV  1 kind: 'invitations', 'events', 'leases' or 'redemptions'; 2 the maximum number
--       of entries per range; 3 'backwards' from the end or 'forwards'; then for each range:
--       its beginning, its end, and the number of bytes of an entry before its place.
-- Returns for each range {entry without these bytes, record, …}.

local what, limit, is_forwards = ARGV[1], ARGV[2], ARGV[3] == 'forwards'
local index = what == 'events' and TRAIL or INDEX
local hash = ({
  invitations = INVITATIONS, events = EVENTS, leases = LEASES, redemptions = REDEMPTIONS,
})[what]
local pages = {}
for at = 4, #ARGV, 3 do
  local skip = tonumber(ARGV[at + 2])
  local first, last = ARGV[at], ARGV[at + 1]
  local entries_found
  if is_forwards then
    entries_found = call('ZRANGEBYLEX', index, first, last, 'LIMIT', 0, limit)
  else
    entries_found = call('ZREVRANGEBYLEX', index, last, first, 'LIMIT', 0, limit)
  end
  local page, fields = {}, {}
  for n, entry in ipairs(entries_found) do
    local place = string.sub(entry, skip + 1)
    local field = string.sub(place, -16)
    if what == 'leases' then
      field = string.sub(place, 25)
    elseif what == 'redemptions' then
      field = string.sub(entry, 2, 17) .. string.sub(place, 25)
    end
    page[2 * n - 1], fields[n] = place, field
  end
  for from = 1, #fields, 1000 do
    local found = call('HMGET', hash, unpack(fields, from, math.min(from + 999, #fields)))
    for n, record in ipairs(found) do page[2 * (from + n - 1)] = record end
  end
  pages[#pages + 1] = page
end
return pages
