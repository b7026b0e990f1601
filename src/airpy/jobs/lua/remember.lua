-- Remembers the result of a job that has completed; 0 when its data was in another state than the request's.
-- ARGV: token, state of the data, folder, frame, bytes, lifetime in ms, most bytes.
local digest, data = unpack(redis.call('HMGET', job_key(ARGV[1]), 'digest', 'data'))
if not data or data ~= ARGV[2] then
  return 0
end
local now, folder = now_ms(), ARGV[3]
forget_result(digest)
redis.call('HSET', 'airpy:result:' .. digest, 'folder', folder, 'frame', ARGV[4], 'bytes', ARGV[5])
redis.call('HSET', 'airpy:results', folder, digest)
redis.call('INCRBY', 'airpy:results-bytes', ARGV[5])
redis.call('ZADD', 'airpy:results-used', now, digest)
redis.call('ZADD', 'airpy:results-until', now + tonumber(ARGV[6]), digest)
forget_until(tonumber(ARGV[7]))
return 1
