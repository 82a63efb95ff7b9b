-- Finds the commands and keys that the user may not use. It calls the server's own check
-- and runs no command.
--
-- ARGV  1 to 13 the keys of the namespace; then for each command that the client itself
--       sends: its words, separated by spaces.
-- Returns each missing command with its key, or false when the server is too old for the
-- check.

if not redis.acl_check_cmd then return false end

local rights = write_rights()
rights[#rights + 1] = { 'HMGET', INVITATIONS, EVENTS, REDEMPTIONS, LEASES, DOCUMENTS }
rights[#rights + 1] = { 'ZREVRANGEBYLEX', INDEX, TRAIL, DOCUMENT_INDEX }
rights[#rights + 1] = { 'HGET', CURSORS }
rights[#rights + 1] = { 'HGETALL', CURSORS }
rights[#rights + 1] = { 'HSCAN', BUDGETS }
rights[#rights + 1] = { 'LLEN', FEED }
rights[#rights + 1] = { 'LRANGE', FEED }

local missing = {}
for n = 14, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[n], '%S+') do words[#words + 1] = word end
  local name = words[1] == 'CLUSTER' and 'CLUSTER SLOTS' or words[1]
  if not may(unpack(words)) then missing[#missing + 1] = name end
end
return add_missing(missing, rights)
