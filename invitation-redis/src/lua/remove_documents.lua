-- Removes documents of a kind and state that are older than an instant and never due, and writes
-- the event of the removal.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 the kind, 3 the maximum number, 4 the beginning and 5 the
--       end of the range of their index entries, 6 the number of bytes of an entry before its time,
--       7 '' or a MessagePack array: 1 id of the event, 2 the event, 3 and 4 its detail before and
--       after the number of removed documents.
-- Returns {'removed', number}, or {'failed', message}.

return guarded(function()
  check_document_rights()
  touch(ARGV[1] == '1')
  local evidence = ARGV[7] ~= '' and read(ARGV[7])
  if evidence and call('HEXISTS', EVENTS, evidence[1]) == 1 then return { 'removed', 0 } end
  local found = call('ZRANGEBYLEX', DOCUMENT_INDEX, ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[3])
  local fields = {}
  for n, entry in ipairs(found) do
    local name = string.sub(entry, ARGV[6] + 9)
    fields[n] = document_field(ARGV[2], name)
    move_document(ARGV[2], name, call('HGET', DOCUMENTS, fields[n]), false)
  end
  in_pieces('HDEL', DOCUMENTS, fields)
  settle_documents()
  if evidence and #found > 0 then
    evidence[2][EV_DETAIL] = evidence[3] .. #found .. evidence[4]
    write_event(evidence[1], evidence[2])
    settle()
  end
  return { 'removed', #found }
end)
