-- Begins an attempt at the next job in line, and gives its token and record; nothing when none may begin.
-- Jobs that a worker died under go first; then short ones, but every fourth turn is a long one's. Within a lane
-- the data sources take turns.
-- ARGV: lease in ms, 1 if a long job may begin, 1 if one may that a worker died under, worker.
local lanes = { 'suspect', 'short', 'long' }
if redis.call('INCR', 'airpy:turn') % 4 == 0 then
  lanes = { 'suspect', 'long', 'short' }
end
local open = { short = true, long = ARGV[2] == '1', suspect = ARGV[3] == '1' }

local token
for _, lane in ipairs(lanes) do
  if not token and open[lane] then
    local source = redis.call('LPOP', 'airpy:lane:' .. lane)
    if source then
      local line = 'airpy:line:' .. lane .. ':' .. source
      token = redis.call('LPOP', line)
      if redis.call('EXISTS', line) == 1 then
        redis.call('RPUSH', 'airpy:lane:' .. lane, source)
      end
    end
  end
end
if not token then
  return nil
end

local now, key = now_ms(), job_key(token)
redis.call('ZREM', 'airpy:waiting', token)
local attempt = redis.call('HINCRBY', key, 'attempt', 1)
redis.call('HSETNX', key, 'began_ms', now)
redis.call('HSET', key, 'status', 'running', 'fence', attempt, 'updated_ms', now, 'worker', ARGV[4])
redis.call('ZADD', 'airpy:leases', now + tonumber(ARGV[1]), token)
announce(token)
return { token, redis.call('HGETALL', key) }
