-- Removes documents of a kind and state that are older than an instant and never due.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0', 2 the kind, 3 the maximum number, 4 the beginning and 5 the
--       end of the range of their index entries, 6 the number of bytes of an entry before its time.
-- Returns {'removed', number}, or {'failed', message}.

return guarded(function()
  check_document_rights()
  touch(ARGV[1] == '1')
  local found = call('ZRANGEBYLEX', DOCUMENT_INDEX, ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[3])
  local fields = {}
  for n, entry in ipairs(found) do
    local name = string.sub(entry, ARGV[6] + 9)
    fields[n] = document_field(ARGV[2], name)
    move_document(ARGV[2], name, call('HGET', DOCUMENTS, fields[n]), false)
  end
  in_pieces('HDEL', DOCUMENTS, fields)
  settle_documents()
  return { 'removed', #found }
end)
