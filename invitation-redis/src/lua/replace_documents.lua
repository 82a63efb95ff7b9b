-- Stores documents in place of the versions before, together with events: all or nothing. An
-- event that already exists stays as it is.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 the number of documents; then for each document: kind,
--       name, the version before of 8 bytes or empty, record; then for each event: id, event.
-- Returns {'replaced'}, {'kept'}, or {'failed', message}.

local NONE = string.rep('\0', 8)

return guarded(function()
  local events = 3 + 4 * ARGV[2]
  local before = {}
  for at = 3, events - 1, 4 do
    local stored = call('HGET', DOCUMENTS, document_field(ARGV[at], ARGV[at + 1]))
    local version = stored and read(stored)[DOC_VERSION] or NONE
    -- The same record is stored if the same call was made before.
    if stored ~= ARGV[at + 3] and version ~= ARGV[at + 2] then
      touch(ARGV[1] == '1')
      return { 'kept' }
    end
    before[at] = stored
  end
  check_document_rights()
  touch(ARGV[1] == '1')
  for at = 3, events - 1, 4 do
    if before[at] ~= ARGV[at + 3] then
      put_document(ARGV[at], ARGV[at + 1], before[at], ARGV[at + 3])
    end
  end
  for at = events, #ARGV, 2 do
    if call('HEXISTS', EVENTS, ARGV[at]) == 0 then
      write_event(ARGV[at], read(ARGV[at + 1]))
    end
  end
  settle_documents()
  settle()
  return { 'replaced' }
end)
