-- KEYS: state, held, regions, then ready and delayed of each region
-- ARGV: stopped clock, take ahead, epoch, watermark known to be there, new
-- watermark, pace, burst, bound, regions, jobs
-- Gives: verdict, added, known, jobs above the bound
local state, held = KEYS[1], KEYS[2]
local now = clock(ARGV[1])
local epoch, expect, upto = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local s = redis.call('HMGET', state, 'epoch', 'watermark', 'pace', 'burst', 'tokens', 'at')
local current, mark = tonumber(s[1]), tonumber(s[2])
if current and current > epoch then return {'fenced', current} end
if current ~= epoch or (expect and (not mark or mark < expect)) then return {'lost'} end

local regions, from = region_names(9)
local added, known = add(3, now, tonumber(ARGV[2]), regions, from)
if upto and (not mark or upto > mark) then redis.call('HSET', state, 'watermark', ARGV[5]) end

-- The allowance grows by the old pace up to now; where nothing was held back
-- before, it begins full. A clock that is behind (that of another server) adds
-- nothing now, and is the one that counts from here on.
local pace, burst = tonumber(s[3]) or 0, tonumber(ARGV[7])
local tokens, at = burst, tonumber(s[6]) or now
if pace > 0 then
  tokens = math.min(tonumber(s[4]), tonumber(s[5]) + pace * math.max(now - at, 0) / 1000, burst)
end
redis.call('HSET', state, 'pace', ARGV[6], 'burst', ARGV[7],
  'tokens', string.format('%.6f', tokens), 'at', now)
return {'done', added, known, redis.call('HLEN', held) - tonumber(ARGV[8])}
