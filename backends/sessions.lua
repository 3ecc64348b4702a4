#!lua flags=no-writes
-- List a subject's sessions: for each its family id and the fields asked for.
-- KEYS: the subject's index
-- ARGV: names of fields, 'generation' first
local sessions = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local stored = redis.call('HMGET', KEYS[1] .. ':' .. id, unpack(ARGV))
  if stored[1] then
    sessions[#sessions + 1] = {id, stored}
  end
end
return sessions
