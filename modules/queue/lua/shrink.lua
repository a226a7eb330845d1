-- KEYS: held, then ready, delayed, late, dying, gone of each region
-- ARGV: bound, step, regions
-- Gives: how many jobs were dropped, oldest slots first
local held, bound, step = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

-- head is the oldest waiting job of a region: its slot and how to drop it.
local function head(r)
  local base, region = 2 + 5 * (r - 1), ARGV[2 + r]
  local ready, delayed, late, dying, gone =
    KEYS[base], KEYS[base + 1], KEYS[base + 2], KEYS[base + 3], KEYS[base + 4]
  local found
  local function offer(slot, drop)
    if not found or slot < found.slot then found = {slot = slot, drop = drop} end
  end
  local function forget(job)
    if #job >= HEAD then redis.call('HDEL', held, name(job, region)) end
  end
  for _, pile in ipairs({late, gone}) do
    local top = redis.call('ZRANGE', pile, 0, 0, 'WITHSCORES')
    if top[1] then
      offer(tonumber(top[2]), function()
        local entry = redis.call('XRANGE', ready, top[1], top[1])[1]
        redis.call('ZREM', pile, top[1])
        redis.call('ZREM', dying, top[1])
        redis.call('XACK', ready, 'workers', top[1])
        redis.call('XDEL', ready, top[1])
        if entry then forget(entry[2][2]) end
      end)
    end
  end
  local entry = next_unread(ready)
  if entry then
    local job = entry[2][2]
    offer(#job >= HEAD and times(job) or 0, function()
      redis.call('XDEL', ready, entry[1])
      forget(job)
    end)
  end
  local job = redis.call('ZRANGE', delayed, 0, 0)[1]
  if job then
    offer((times(job)), function()
      redis.call('ZREM', delayed, job)
      forget(job)
    end)
  end
  return found
end

local dropped, heads = 0, {}
for r = 1, #ARGV - 2 do heads[r] = head(r) end
local over = math.min(redis.call('HLEN', held) - bound, step)
while dropped < over do
  local eldest
  for r = 1, #ARGV - 2 do
    if heads[r] and (not eldest or heads[r].slot < heads[eldest].slot) then eldest = r end
  end
  if not eldest then break end -- all that is held is leased
  heads[eldest].drop()
  heads[eldest] = head(eldest)
  dropped = dropped + 1
end
return dropped
