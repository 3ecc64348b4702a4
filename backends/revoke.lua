#!lua flags=allow-oom
-- End one session; the first reason stands. Runs when memory is full too: a logout must not wait.
-- KEYS: the session
-- ARGV: reason; now_ms
local stored = redis.call('HMGET', KEYS[1], 'generation', 'revoked')
if stored[1] and not stored[2] then
  redis.call('HSET', KEYS[1], 'revoked', ARGV[2], 'reason', ARGV[1])
end
