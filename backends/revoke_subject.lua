#!lua flags=allow-oom
-- End a subject's sessions but one, and those whose issue is still on its way.
-- KEYS: the subject's index; when the subject's sessions were last ended
-- ARGV: reason; now_ms; ms to remember this for; the family id to spare, or nothing
local ended = redis.call('GET', KEYS[2])
if not ended or tonumber(ended) < tonumber(ARGV[2]) then
  ended = ARGV[2]
end
redis.call('SET', KEYS[2], ended, 'PX', ARGV[3])
-- The sessions' keys come from the index, not from KEYS: they share its hash slot.
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local session = KEYS[1] .. ':' .. id
  local stored = redis.call('HMGET', session, 'generation', 'revoked')
  if not stored[1] then
    redis.call('SREM', KEYS[1], id)
  elseif not stored[2] and id ~= ARGV[4] then
    redis.call('HSET', session, 'revoked', ARGV[2], 'reason', ARGV[1])
  end
end
