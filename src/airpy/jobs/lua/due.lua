-- Puts jobs whose pause is over back in line, and gives the number of jobs in line.
local now = now_ms()
for _, token in ipairs(redis.call('ZRANGE', 'airpy:delayed', '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  redis.call('ZREM', 'airpy:delayed', token)
  line_up(token, false)
end
return redis.call('ZCARD', 'airpy:waiting')
