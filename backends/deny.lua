-- Keep a denial for at least ARGV[1] ms; what was promised longer before stands.
-- KEYS: the denial
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
end
