-- Accepts a job: its token, its record, its place in line and the message that wakes a worker, all or nothing.
-- A request equal to one at work gets a token that follows it; one with a known idempotency key gets its token.
-- A request whose result is remembered gets a token of a job that has completed with it.
-- ARGV: most jobs, idempotency key or '', digest of what was asked, digest of request and data or '' when
--       unknown, lifetime of the key in s, queue of messages, its database, our database, most messages,
--       message id, message, digest of the request, 1 if the work is to be done anew, the folder of a result that
--       is remembered and there or '', then fields and values of the record.
-- Gives 'accepted' and a token, 'known' and a token, 'reused' and a token, 'full' and the number of jobs, or
-- 'crowded' and Redis's memory in MiB.
local most, key, asked, digest, lifetime = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local request, anew, folder = ARGV[12], ARGV[13] == '1', ARGV[14]
local first_field = 15

local function remember_key(token)
  if key ~= '' then
    redis.call('HSET', 'airpy:key:' .. key, 'digest', asked, 'token', token)
    redis.call('EXPIRE', 'airpy:key:' .. key, lifetime)
  end
end

if key ~= '' then
  local known = redis.call('HMGET', 'airpy:key:' .. key, 'digest', 'token')
  if known[1] then
    return { known[1] == asked and 'known' or 'reused', known[2] }
  end
end
-- What is left of Redis's memory belongs to the jobs that were accepted, so that they can end.
local memory = redis.call('INFO', 'memory')
local used, limit = tonumber(memory:match('used_memory:(%d+)')), tonumber(memory:match('maxmemory:(%d+)'))
if limit and limit > 0 and used > 0.8 * limit then
  return { 'crowded', tostring(math.floor(limit / 1048576)) }
end

local now = now_ms()
local known = redis.call('HMGET', 'airpy:result:' .. digest, 'folder', 'frame')
if folder ~= '' and known[1] == folder then
  local token = tostring(redis.call('INCR', 'airpy:token'))
  local job, fields = job_key(token), { unpack(ARGV, first_field) }
  redis.call('HSET', job, 'created_ms', now, 'began_ms', now, 'attempt', 1, 'failures', 0, 'version', 0,
    'digest', digest, 'folder', folder, 'frame', known[2], 'reused', 1, 'step:1:0',
    cjson.encode({ 'query_complete', 'Answered from the result of an equal request', now, 0, 1 }), unpack(fields))
  redis.call('ZADD', 'airpy:jobs', token, token)
  remember_key(token)
  redis.call('ZADD', 'airpy:results-used', now, digest)
  local ttl_ms = tonumber(redis.call('HGET', job, 'ttl_s')) * 1000
  redis.call('ZADD', 'airpy:results-kept', 'GT', now + ttl_ms, folder)
  count({ 'ended:' .. redis.call('HGET', job, 'kind') .. ':completed', 1, 'reused', 1 })
  finish(token, 'completed', {})
  return { 'accepted', token }
end
local active = redis.call('ZCARD', 'airpy:active')
if active >= most then
  return { 'full', tostring(active) }
end

local token = tostring(redis.call('INCR', 'airpy:token'))
redis.call('HSET', job_key(token), 'status', 'started', 'created_ms', now, 'updated_ms', now, 'attempt', 0,
  'failures', 0, 'version', 0, 'fence', '', 'digest', digest ~= '' and digest or request, unpack(ARGV, first_field))
redis.call('ZADD', 'airpy:active', now, token)
redis.call('ZADD', 'airpy:jobs', token, token)
remember_key(token)

-- A job whose data is not known to be the same, or not trusted to be, may have read it before this request came.
local twin = digest ~= '' and digest or request
local leader = redis.call('HGET', 'airpy:twins', twin)
if leader and ((digest ~= '' and not anew) or redis.call('HGET', job_key(leader), 'attempt') == '0') then
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
