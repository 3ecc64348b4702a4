-- Decide a rotation as `judge` and `after_rotate` in lifecycle.py do, and commit it.
-- KEYS: the session
-- ARGV: the token's generation and digest; device; now_ms; the successor's digest, idle expiry ms,
--       generation, end of its predecessor's grace ms; '1' if a wrong device revokes; ms to keep
--       a session past its idle expiry
-- Returns the outcome; after 'rotated' and 'grace' the standing idle expiry ms, after 'grace' also
-- the standing digest.
-- Instants are written as the strings they came as: Lua would round a number it prints.
local stored = redis.call('HMGET', KEYS[1], 'generation', 'digest', 'predecessor', 'revoked',
                          'idle_expires', 'absolute_expires', 'grace_until', 'device')
if not stored[1] then
  return {'unknown'}
end
local generation, presented = tonumber(stored[1]), tonumber(ARGV[1])
local digest, now = ARGV[2], tonumber(ARGV[4])

local current, predecessor = presented == generation, presented == generation - 1
if presented > generation
    or (current and digest ~= stored[2])
    or (predecessor and digest ~= stored[3]) then
  return {'unknown'}
end
if stored[4] then
  return {'revoked'}
end
if now >= math.min(tonumber(stored[5]), tonumber(stored[6])) then
  return {'expired'}
end
local in_grace = predecessor and now < tonumber(stored[7])
if not current and not in_grace then
  redis.call('HSET', KEYS[1], 'revoked', ARGV[4], 'reason', 'reuse')
  return {'reused'}
end
if ARGV[3] ~= stored[8] then
  if ARGV[9] == '1' then
    redis.call('HSET', KEYS[1], 'revoked', ARGV[4], 'reason', 'device')
  end
  return {'device_mismatch'}
end
if in_grace then
  return {'grace', stored[5], stored[2]}
end

local idle_expires = ARGV[6]
if tonumber(idle_expires) > tonumber(stored[6]) then
  idle_expires = stored[6]
end
redis.call('HSET', KEYS[1], 'generation', ARGV[7], 'digest', ARGV[5], 'predecessor', digest,
           'idle_expires', idle_expires, 'rotated', ARGV[4], 'grace_until', ARGV[8])
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(idle_expires) - now, 0) + tonumber(ARGV[10]))
return {'rotated', idle_expires}
