-- Store new sessions of one subject, never over existing ones. Gives how many were new.
-- KEYS: the subject's index; when the subject's sessions were last ended; then the sessions
-- ARGV: for each session ten: family id; issued_at_ms; ms to keep the session; ms to keep its index
--       entry; generation; client; device; idle and absolute expiry; digest
local count = #KEYS - 2
local ended = redis.call('GET', KEYS[2])
local remains = redis.call('PTTL', KEYS[1])
local keep = remains
local ids = {}
for number = 1, count do
  local key = KEYS[2 + number]
  local at = (number - 1) * 10
  if redis.call('EXISTS', key) == 0 then
    -- The first write: short of memory, it is this one that fails, and nothing is left half done.
    redis.call('HSET', key, 'generation', ARGV[at + 5], 'client', ARGV[at + 6],
      'device', ARGV[at + 7], 'issued', ARGV[at + 2], 'idle_expires', ARGV[at + 8],
      'absolute_expires', ARGV[at + 9], 'digest', ARGV[at + 10])
    redis.call('PEXPIRE', key, ARGV[at + 3])
    if ended and tonumber(ARGV[at + 2]) <= tonumber(ended) then
      redis.call('HSET', key, 'revoked', ended, 'reason', 'subject')
    end
    ids[#ids + 1] = ARGV[at + 1]
    keep = math.max(keep, tonumber(ARGV[at + 4]))
  end
end
if #ids == 0 then
  return 0
end

redis.call('SADD', KEYS[1], unpack(ids))
if remains < keep then
  redis.call('PEXPIRE', KEYS[1], keep)
end
-- A session that expires leaves its id behind. Each login looks at two ids and drops the dead
-- ones, so that they never outnumber the living by much, at a constant cost. -2: the index is new.
if remains ~= -2 then
  for _, id in ipairs(redis.call('SRANDMEMBER', KEYS[1], 2 * #ids)) do
    if redis.call('EXISTS', KEYS[1] .. ':' .. id) == 0 then
      redis.call('SREM', KEYS[1], id)
    end
  end
end
return #ids
