-- KEYS: ready, held, late, dying, gone, leases
-- ARGV: stopped clock, lease margin, then of each job its entry, its name, what is
-- held under it, slot and timeout
local now, margin = clock(ARGV[1]), tonumber(ARGV[2])
local ids, ends = {}, {}
for i = 3, #ARGV, 5 do
  if redis.call('HGET', KEYS[2], ARGV[i + 1]) == ARGV[i + 2] then
    ids[#ids + 1] = ARGV[i]
    ends[#ends + 1] = math.max(now, tonumber(ARGV[i + 3])) + tonumber(ARGV[i + 4]) + margin
    ends[#ends + 1] = ARGV[i]
  end
end
if #ids == 0 then return 0 end
-- A lease that ended and was not given to anybody else is still the caller's.
if redis.call('ZADD', KEYS[6], unpack(ends)) > 0 then
  for i = 3, 5 do redis.call('ZREM', KEYS[i], unpack(ids)) end
end
return #ids
