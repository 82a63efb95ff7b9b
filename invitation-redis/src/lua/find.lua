-- Finds one invitation.
--
-- KEYS  those of the namespace.
-- ARGV  1 id, or empty; 2 digests of 32 bytes each.
-- Returns {id, record}, or {} when there is none.

local id = ARGV[1] ~= '' and ARGV[1] or by_digest(ARGV[2])
local record = id and call('HGET', INVITATIONS, id)
return record and { id, record } or {}
