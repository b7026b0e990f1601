-- Records a step of a job that this attempt still owns; 0 when it does not. Written twice, it is there once.
-- ARGV: token, fence, number of the step in this attempt, step, message.
local token, key = ARGV[1], job_key(ARGV[1])
if redis.call('HGET', key, 'fence') ~= ARGV[2] then
  return 0
end
local now = now_ms()
local began, attempt = unpack(redis.call('HMGET', key, 'began_ms', 'attempt'))
local entry = cjson.encode({ ARGV[4], ARGV[5], now, math.max(now - tonumber(began), 0), tonumber(attempt) })
redis.call('HSET', key, 'updated_ms', now, 'step:' .. attempt .. ':' .. ARGV[3], entry)
announce(token)
return 1
