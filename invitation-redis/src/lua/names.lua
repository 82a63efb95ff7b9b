-- Reads redemptions whose username has a certain term.
--
-- KEYS  those of the namespace.
-- ARGV  1 the maximum number per invitation; then for each invitation: its id, and the beginning
--       and the end of a range of its index entries by term.
-- Returns for each invitation {entry, redemption, entry, redemption, …}.

local limit, answers = ARGV[1], {}
for at = 2, #ARGV, 3 do
  local id, answer, fields = ARGV[at], {}, {}
  local found = call('ZRANGEBYLEX', INDEX, ARGV[at + 1], ARGV[at + 2], 'LIMIT', 0, limit)
  for n, entry in ipairs(found) do
    local _, user = term_and_user(entry)
    answer[2 * n - 1], fields[n] = entry, id .. user
  end
  if #fields > 0 then
    for n, record in ipairs(call('HMGET', REDEMPTIONS, unpack(fields))) do
      answer[2 * n] = record
    end
  end
  answers[#answers + 1] = answer
end
return answers
