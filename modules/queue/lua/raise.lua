-- KEYS: state; ARGV: epoch. Gives: verdict, epoch or watermark
local s = redis.call('HMGET', KEYS[1], 'epoch', 'watermark')
local current = tonumber(s[1])
if current and current > tonumber(ARGV[1]) then return {'fenced', current} end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
return {'done', s[2] or ''}
