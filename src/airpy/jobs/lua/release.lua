-- Gives a job back that this attempt still owns, to be begun again after a pause; 0 when it does not own it.
-- ARGV: token, fence, pause in ms, 1 if the attempt failed.
local token, key = ARGV[1], job_key(ARGV[1])
if redis.call('HGET', key, 'fence') ~= ARGV[2] then
  return 0
end
local now = now_ms()
redis.call('HSET', key, 'fence', '', 'updated_ms', now)
redis.call('HINCRBY', key, 'failures', ARGV[4])
redis.call('ZREM', 'airpy:leases', token)
redis.call('ZADD', 'airpy:delayed', now + tonumber(ARGV[3]), token)
announce(token)
return 1
