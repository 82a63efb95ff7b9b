-- Reads index entries from the end of each range, with their records.
--
-- KEYS  the eight of the namespace.
-- ARGV  1 kind: 'invitations', 'events', 'leases' or 'redemptions'; 2 the maximum number
--       of entries per range; then for each range: its end, its beginning, and the number
--       of bytes of an entry before its place.
-- Returns for each range {entry without these bytes, record, …}.

local what, limit = ARGV[1], ARGV[2]
local index = what == 'events' and TRAIL or INDEX
local hash = ({
  invitations = INVITATIONS, events = EVENTS, leases = LEASES, redemptions = REDEMPTIONS,
})[what]
local pages = {}
for at = 3, #ARGV, 3 do
  local skip = tonumber(ARGV[at + 2])
  local entries_found = call('ZREVRANGEBYLEX', index, ARGV[at], ARGV[at + 1], 'LIMIT', 0, limit)
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
  for first = 1, #fields, 1000 do
    local found = call('HMGET', hash, unpack(fields, first, math.min(first + 999, #fields)))
    for n, record in ipairs(found) do page[2 * (first + n - 1)] = record end
  end
  pages[#pages + 1] = page
end
return pages
