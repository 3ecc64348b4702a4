-- Store a new session, never over an existing one.
-- KEYS: the session; the subject's index; when the subject's sessions were last ended
-- ARGV: family id; issued_at_ms; ms to keep the session; ms to keep its index entry;
--       then the session's fields, name and value by turns
if redis.call('EXISTS', KEYS[1]) == 1 then
  return
end
-- The first write: short of memory, it is this one that fails, and nothing is left half done.
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local ended = redis.call('GET', KEYS[3])
if ended and tonumber(ARGV[2]) <= tonumber(ended) then
  redis.call('HSET', KEYS[1], 'revoked', ended, 'reason', 'subject')
end

redis.call('SADD', KEYS[2], ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
-- A session that expires leaves its id behind. Each login looks at two ids and drops the dead
-- ones, so that they never outnumber the living by much, at a constant cost.
for _, id in ipairs(redis.call('SRANDMEMBER', KEYS[2], 2)) do
  if redis.call('EXISTS', KEYS[2] .. ':' .. id) == 0 then
    redis.call('SREM', KEYS[2], id)
  end
end
