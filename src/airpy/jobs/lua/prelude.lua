-- What the scripts share. Times are milliseconds by Redis's clock, the only one that all hosts agree on.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function job_key(token)
  return 'airpy:job:' .. token
end

-- Tells whoever waits for the job, or for one that follows it, that its record has changed.
local function announce(token)
  redis.call('HINCRBY', job_key(token), 'version', 1)
  redis.call('PUBLISH', 'airpy:changes', token)
  for _, follower in ipairs(redis.call('SMEMBERS', 'airpy:followers:' .. token)) do
    redis.call('PUBLISH', 'airpy:changes', follower)
  end
end

-- Adds to the counters that metrics are made of: names and amounts in turn.
local function count(amounts)
  for place = 1, #amounts, 2 do
    redis.call('HINCRBYFLOAT', 'airpy:counters', amounts[place], amounts[place + 1])
  end
end

-- The lane that the job waits in, and its data source.
local function place_of(token)
  local lane, source, suspect = unpack(redis.call('HMGET', job_key(token), 'lane', 'source', 'suspect'))
  return suspect and 'suspect' or lane, source
end

-- Puts a job into the line of its data source; the lane takes one job of each source in turn.
local function line_up(token, end_of_line)
  local lane, source = place_of(token)
  local push = end_of_line and 'RPUSH' or 'LPUSH'
  if redis.call(push, 'airpy:line:' .. lane .. ':' .. source, token) == 1 then
    redis.call(push, 'airpy:lane:' .. lane, source)
  end
  redis.call('ZADD', 'airpy:waiting', now_ms(), token)
end

-- Takes a job out of its line.
local function step_out(token)
  local lane, source = place_of(token)
  local line = 'airpy:line:' .. lane .. ':' .. source
  redis.call('LREM', line, 1, token)
  if redis.call('EXISTS', line) == 0 then
    redis.call('LREM', 'airpy:lane:' .. lane, 1, source)
  end
  redis.call('ZREM', 'airpy:waiting', token)
  redis.call('ZREM', 'airpy:delayed', token)
end

-- Ends a job's record, which lives on for its time to live.
local function finish(token, status, fields)
  local now, key = now_ms(), job_key(token)
  local ttl_s = tonumber(redis.call('HGET', key, 'ttl_s'))
  if #fields > 0 then
    redis.call('HSET', key, unpack(fields))
  end
  redis.call('HSET', key, 'status', status, 'fence', '', 'updated_ms', now, 'expires_ms', now + ttl_s * 1000)
  redis.call('EXPIRE', key, ttl_s)
  redis.call('ZREM', 'airpy:active', token)
  announce(token)
end

-- Forgets that the job is at work, so that an equal request starts another.
local function retire(token)
  local digest = redis.call('HGET', job_key(token), 'digest')
  if redis.call('HGET', 'airpy:twins', digest) == token then
    redis.call('HDEL', 'airpy:twins', digest)
  end
  redis.call('ZREM', 'airpy:leases', token)
end

-- Forgets a result that is remembered under this digest; jobs that were answered with it keep its files.
local function forget_result(digest)
  local folder, bytes = unpack(redis.call('HMGET', 'airpy:result:' .. digest, 'folder', 'bytes'))
  if folder then
    redis.call('DEL', 'airpy:result:' .. digest)
    redis.call('HDEL', 'airpy:results', folder)
    redis.call('DECRBY', 'airpy:results-bytes', bytes)
    redis.call('ZREM', 'airpy:results-used', digest)
    redis.call('ZREM', 'airpy:results-until', digest)
  end
end

-- Forgets results, that which was not asked for longest first, until the others have at most so many bytes.
local function forget_until(most_bytes)
  while tonumber(redis.call('GET', 'airpy:results-bytes') or 0) > most_bytes do
    local oldest = redis.call('ZRANGE', 'airpy:results-used', 0, 0)[1]
    if not oldest then
      return
    end
    forget_result(oldest)
  end
end
