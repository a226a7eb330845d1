-- KEYS: ready, delayed, late, gone, leases of each region
-- ARGV: stopped clock, take ahead
-- Gives: ready, delayed, leased, slot of the oldest ready one or ''
local now, ahead = clock(ARGV[1]), tonumber(ARGV[2])
local takeable, waiting, leased, oldest = 0, 0, 0, nil
local function older(slot)
  slot = tonumber(slot)
  if slot and (not oldest or slot < oldest) then oldest = slot end
end
for i = 1, #KEYS, 5 do
  local ready, delayed, late, gone, leases = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3], KEYS[i + 4]
  local due = redis.call('ZCOUNT', delayed, '-inf', now + ahead)
  local over = redis.call('ZCOUNT', leases, '-inf', now)
  local all, out = redis.call('XLEN', ready), redis.call('ZCARD', leases)
  local shelved = redis.call('ZCARD', late) + redis.call('ZCARD', gone)
  takeable = takeable + due + over + all - out
  waiting = waiting + redis.call('ZCARD', delayed) - due
  leased = leased + out - over
  if due > 0 then older(redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]) end
  older(redis.call('ZRANGE', late, 0, 0, 'WITHSCORES')[2])
  older(redis.call('ZRANGE', gone, 0, 0, 'WITHSCORES')[2])
  if over > 0 then
    local entry = redis.call('XRANGE', ready, redis.call('ZRANGE', leases, 0, 0)[1], '+', 'COUNT', 1)[1]
    if entry and #entry[2][2] >= HEAD then older((times(entry[2][2]))) end
  end
  if all > out + shelved then
    local entry = next_unread(ready)
    if entry and #entry[2][2] >= HEAD then older((times(entry[2][2]))) end
  end
end
return {takeable, waiting, leased, oldest and string.format('%.0f', oldest) or ''}
