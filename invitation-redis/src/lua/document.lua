-- Returns a stored document.
--
-- KEYS  those of the namespace.
-- ARGV  1 the kind, 2 the name.
-- Returns {record}, or {false}.

return { call('HGET', DOCUMENTS, document_field(ARGV[1], ARGV[2])) }
