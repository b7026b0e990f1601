-- Ends a job that this attempt still owns, and those that follow it; 0 when it does not own it.
-- ARGV: token, fence, status, the run's ms or '', seconds for which a dead letter is kept or '', number of
--       counters, then counters with what to add to each, then fields and values.
local token, key, status = ARGV[1], job_key(ARGV[1]), ARGV[3]
if redis.call('HGET', key, 'fence') ~= ARGV[2] then
  return 0
end
local last_counter = 6 + 2 * tonumber(ARGV[6])
count({ unpack(ARGV, 7, last_counter) })
if ARGV[4] ~= '' then
  local kind = redis.call('HGET', key, 'kind')
  local pace = redis.call('HGET', 'airpy:pace', kind)
  local run = tonumber(ARGV[4])
  redis.call('HSET', 'airpy:pace', kind, pace and 0.9 * pace + 0.1 * run or run)
end

local fields = { unpack(ARGV, last_counter + 1) }
if ARGV[5] ~= '' then
  local kept = { 'kind', 'request', 'request_id', 'source', 'lane', 'input', 'attempt' }
  local letter = {}
  for place, value in ipairs(redis.call('HMGET', key, unpack(kept))) do
    if value then
      letter[#letter + 1] = kept[place]
      letter[#letter + 1] = value
    end
  end
  redis.call('HSET', 'airpy:dead:' .. token, 'died_ms', now_ms(), unpack(letter))
  redis.call('HSET', 'airpy:dead:' .. token, unpack(fields))
  redis.call('EXPIRE', 'airpy:dead:' .. token, ARGV[5])
  redis.call('ZADD', 'airpy:dead', token, token)
end
retire(token)
for _, follower in ipairs(redis.call('SMEMBERS', 'airpy:followers:' .. token)) do
  finish(follower, status, fields)
end
redis.call('DEL', 'airpy:followers:' .. token)
if redis.call('HGET', key, 'withdrawn') then
  status = 'cancelled'
  fields = {}
end
finish(token, status, fields)
return 1
