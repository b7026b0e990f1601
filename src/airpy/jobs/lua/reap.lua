-- Takes jobs whose lease has run out from their dead workers. Those with attempts left go back in line at once, and
-- are suspect; the others are given, with a new fence, for the caller to end.
-- ARGV: most failures, lease in ms.
local now, spent = now_ms(), {}
for _, token in ipairs(redis.call('ZRANGE', 'airpy:leases', '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  local key = job_key(token)
  local fence = redis.call('HGET', key, 'fence')
  if not fence or fence == '' then
    redis.call('ZREM', 'airpy:leases', token)
  else
    -- Another reaper may have died before it ended the job.
    if string.sub(fence, 1, 1) ~= 'r' then
      redis.call('HINCRBY', key, 'failures', 1)
    end
    if tonumber(redis.call('HGET', key, 'failures')) < tonumber(ARGV[1]) then
      redis.call('HSET', key, 'fence', '', 'suspect', 1, 'updated_ms', now)
      redis.call('ZREM', 'airpy:leases', token)
      line_up(token, false)
      announce(token)
    else
      redis.call('HSET', key, 'fence', 'r' .. now)
      redis.call('ZADD', 'airpy:leases', now + tonumber(ARGV[2]), token)
      spent[#spent + 1] = { token, redis.call('HGETALL', key) }
    end
  end
end
return spent
