-- Stores documents whose key is not stored yet. The others stay as they are.
--
-- KEYS  those of the namespace.
-- ARGV  1 whether to touch: '1' or '0'; then for each document: kind, name, record.
-- Returns {'stored'}, or {'failed', message}.

return guarded(function()
  check_document_rights()
  touch(ARGV[1] == '1')
  for at = 2, #ARGV, 3 do
    local kind, name = ARGV[at], ARGV[at + 1]
    if call('HEXISTS', DOCUMENTS, document_field(kind, name)) == 0 then
      put_document(kind, name, false, ARGV[at + 2])
    end
  end
  settle_documents()
  return { 'stored' }
end)
