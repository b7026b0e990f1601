-- Accepts a job: its token, its record, its place in line and the message that wakes a worker, all or nothing.
-- A request equal to one at work gets a token that follows it; one with a known idempotency key gets its token.
-- ARGV: most jobs, idempotency key or '', digest of the request, digest of request and data or '' when
--       unknown, lifetime of the key in s, queue of messages, its database, our database, most messages,
--       message id, message, then fields and values of the record.
-- Gives 'accepted' and a token, 'known' and a token, 'reused' and a token, 'full' and the number of jobs, or
-- 'crowded' and Redis's memory in MiB.
local most, key, request, digest, lifetime = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if key ~= '' then
  local known = redis.call('HMGET', 'airpy:key:' .. key, 'digest', 'token')
  if known[1] then
    return { known[1] == request and 'known' or 'reused', known[2] }
  end
end
local active = redis.call('ZCARD', 'airpy:active')
if active >= most then
  return { 'full', tostring(active) }
end
-- What is left of Redis's memory belongs to the jobs that were accepted, so that they can end.
local memory = redis.call('INFO', 'memory')
local used, limit = tonumber(memory:match('used_memory:(%d+)')), tonumber(memory:match('maxmemory:(%d+)'))
if limit and limit > 0 and used > 0.8 * limit then
  return { 'crowded', tostring(math.floor(limit / 1048576)) }
end

local token = tostring(redis.call('INCR', 'airpy:token'))
local now = now_ms()
redis.call('HSET', job_key(token), 'status', 'started', 'created_ms', now, 'updated_ms', now, 'attempt', 0,
  'failures', 0, 'version', 0, 'fence', '', 'digest', digest ~= '' and digest or request, unpack(ARGV, 12))
redis.call('ZADD', 'airpy:active', now, token)
redis.call('ZADD', 'airpy:jobs', token, token)
if key ~= '' then
  redis.call('HSET', 'airpy:key:' .. key, 'digest', request, 'token', token)
  redis.call('EXPIRE', 'airpy:key:' .. key, lifetime)
end

-- A job whose data is not known to be the same may have read it before this request came.
local twin = digest ~= '' and digest or request
local leader = redis.call('HGET', 'airpy:twins', twin)
if leader and (digest ~= '' or redis.call('HGET', job_key(leader), 'attempt') == '0') then
  redis.call('HSET', job_key(token), 'leader', leader)
  redis.call('SADD', 'airpy:followers:' .. leader, token)
else
  redis.call('HSET', 'airpy:twins', twin, token)
  line_up(token, true)
  local queue = ARGV[6]
  redis.call('SELECT', ARGV[7])
  if redis.call('LLEN', queue) < tonumber(ARGV[9]) then
    redis.call('HSET', queue .. '.msgs', ARGV[10], ARGV[11])
    redis.call('RPUSH', queue, ARGV[10])
  end
  redis.call('RPUSH', queue .. '.wake', 1)
  redis.call('LTRIM', queue .. '.wake', -32, -1)
  redis.call('SELECT', ARGV[8])
end
return { 'accepted', token }
