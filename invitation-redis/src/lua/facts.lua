-- Finds one invitation, and the facts about a user.
--
-- KEYS  those of the namespace.
-- ARGV  1 id, or empty; 2 digests of 32 bytes each; 3 the user.
-- Returns {'found', and the facts as in facts_answer}, or {'missing'}.

local id = ARGV[1] ~= '' and ARGV[1] or by_digest(ARGV[2])
local blob = id and call('HGET', INVITATIONS, id)
if not blob then return { 'missing' } end
local r = read(blob)
local mine, lease, first = facts_about(id, r, ARGV[3])
-- A code does not find a tombstone, unless the user has redeemed it (Target::finds).
if r[DELETED] and ARGV[1] == '' and not mine then return { 'missing' } end
return facts_answer('found', id, blob, r, mine, lease, first)
