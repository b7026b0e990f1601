-- Prolongs the leases of a worker's jobs, and gives the places, from 0, of those that it no longer owns.
-- ARGV: lease in ms, then token, fence, peak memory in MiB and work done of each.
local until_ms, lost = now_ms() + tonumber(ARGV[1]), {}
for place = 2, #ARGV, 4 do
  local token = ARGV[place]
  if redis.call('HGET', job_key(token), 'fence') == ARGV[place + 1] then
    redis.call('ZADD', 'airpy:leases', until_ms, token)
    local changed = redis.call('HGET', job_key(token), 'work') ~= ARGV[place + 3]
    redis.call('HSET', job_key(token), 'peak_mb', ARGV[place + 2], 'work', ARGV[place + 3])
    if changed then
      announce(token)
    end
  else
    lost[#lost + 1] = (place - 2) / 4
  end
end
return lost
