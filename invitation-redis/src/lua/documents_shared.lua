-- Code that the scripts of documents share, behind shared.lua.
--
-- A field of DOCUMENTS is the kind with its length, and the name. DOCUMENT_INDEX has an entry for
-- each list that shows the document: a letter, the kind, the value that the list is restricted to,
-- a time, and the name. The name comes last, so that entries of one time sort by name.

-- The fields of a document. The first one is its version.
local DOC_VERSION, DOC_DIVISION, DOC_INVITATION, DOC_STATE, DOC_AT, DOC_DUE = 1, 2, 3, 4, 5, 6

local function document_field(kind, name)
  return sized(kind) .. name
end

-- Returns the entries of a document: all of its kind, by its state, by its division, by its
-- invitation, by its due time, and, if it is never due, as one that can be removed.
local function document_entries(kind, name, d)
  local of, place, state_of = sized(kind), d[DOC_AT] .. name, sized(d[DOC_STATE])
  local found = { 'n' .. of .. place, 's' .. of .. state_of .. place }
  if d[DOC_DIVISION] then found[#found + 1] = 'v' .. of .. sized(d[DOC_DIVISION]) .. place end
  if d[DOC_INVITATION] then found[#found + 1] = 'i' .. of .. d[DOC_INVITATION] .. place end
  if d[DOC_DUE] then
    found[#found + 1] = 'd' .. of .. d[DOC_DUE] .. name
  else
    found[#found + 1] = 'r' .. of .. state_of .. place
  end
  return found
end

-- Raises an error unless the user may change documents. The check of the first write looks at
-- the other keys, because most changes need no others.
local function check_document_rights()
  local can = redis.acl_check_cmd
  if not (can('HSET', DOCUMENTS, '', '') and can('HDEL', DOCUMENTS, '')
    and can('ZADD', DOCUMENT_INDEX, '0', '') and can('ZREM', DOCUMENT_INDEX, '')) then
    error({ err = 'NOPERM the user may not change documents' })
  end
end

-- Pending entries: whether each of them must exist.
local moved_documents = {}

local function move_document(kind, name, record, is_there)
  for _, entry in ipairs(document_entries(kind, name, read(record))) do
    moved_documents[entry] = is_there
  end
end

-- Stores a document in place of another one, if there is one.
local function put_document(kind, name, stored, record)
  if stored then move_document(kind, name, stored, false) end
  move_document(kind, name, record, true)
  write('HSET', DOCUMENTS, document_field(kind, name), record)
end

-- Writes all pending entries.
local function settle_documents()
  local add, remove = {}, {}
  for entry, is_there in pairs(moved_documents) do
    if is_there then
      add[#add + 1] = '0'
      add[#add + 1] = entry
    else
      remove[#remove + 1] = entry
    end
  end
  in_pieces('ZADD', DOCUMENT_INDEX, add)
  in_pieces('ZREM', DOCUMENT_INDEX, remove)
end
