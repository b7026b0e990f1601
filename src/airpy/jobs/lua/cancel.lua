-- Cancels a job. Work that other tokens follow goes on for them.
-- ARGV: token. Gives 'gone', 'ended' or 'cancelled'.
local token, key = ARGV[1], job_key(ARGV[1])

local function stop(work)
  step_out(work)
  retire(work)
  redis.call('DEL', 'airpy:followers:' .. work)
  finish(work, 'cancelled', {})
end

local status, leader, withdrawn = unpack(redis.call('HMGET', key, 'status', 'leader', 'withdrawn'))
if not status then
  return 'gone'
end
if withdrawn or not redis.call('ZSCORE', 'airpy:active', token) then
  return 'ended'
end
count({ 'ended:' .. redis.call('HGET', key, 'kind') .. ':cancelled', 1 })
if leader then
  redis.call('SREM', 'airpy:followers:' .. leader, token)
  finish(token, 'cancelled', {})
  if redis.call('HGET', job_key(leader), 'withdrawn') and redis.call('EXISTS', 'airpy:followers:' .. leader) == 0 then
    stop(leader)
  end
elseif redis.call('EXISTS', 'airpy:followers:' .. token) == 1 then
  redis.call('HSET', key, 'withdrawn', now_ms())
  redis.call('ZREM', 'airpy:active', token)
  announce(token)
else
  stop(token)
end
return 'cancelled'
