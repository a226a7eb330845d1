-- KEYS: ready, held, late, dying, gone, leases
-- ARGV: of each job its entry, its name and what is held under it
-- Gives: how many ended
local ready, held = KEYS[1], KEYS[2]
local names, ids = {}, {}
for i = 1, #ARGV, 3 do
  if redis.call('HGET', held, ARGV[i + 1]) == ARGV[i + 2] then
    ids[#ids + 1], names[#names + 1] = ARGV[i], ARGV[i + 1]
  end
end
if #ids == 0 then return 0 end
local ended = redis.call('HDEL', held, unpack(names))
redis.call('XACK', ready, 'workers', unpack(ids))
redis.call('XDEL', ready, unpack(ids))
-- A lease that ended and was not given to anybody else is in another pile.
if redis.call('ZREM', KEYS[6], unpack(ids)) < #ids then
  for i = 3, 5 do redis.call('ZREM', KEYS[i], unpack(ids)) end
end
return ended
