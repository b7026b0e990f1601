-- Forgets results that are too old, and then those that were not asked for longest until the others fit.
-- ARGV: most bytes.
local now = now_ms()
for _, digest in ipairs(redis.call('ZRANGE', 'airpy:results-until', '-inf', now, 'BYSCORE')) do
  forget_result(digest)
end
forget_until(tonumber(ARGV[1]))
redis.call('ZREMRANGEBYSCORE', 'airpy:results-kept', '-inf', now)
return 0
