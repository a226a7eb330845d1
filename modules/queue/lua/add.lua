-- add takes in the jobs from ARGV[from] on, each preceded by the number of its
-- region: those that may be taken go to the stream, the others wait. It gives how
-- many were new and how many were held already.
local function add(state_keys, now, ahead, regions, from)
  local held, set = KEYS[2], KEYS[3]
  local added, known = 0, 0
  for i = from, #ARGV, 2 do
    local r, job = tonumber(ARGV[i]), ARGV[i + 1]
    if redis.call('HSETNX', held, name(job, regions[r]), '') == 0 then
      known = known + 1
    else
      local slot = times(job)
      if slot <= now + ahead then
        redis.call('XADD', KEYS[state_keys + 2 * r - 1], '*', 'j', job)
      else
        redis.call('ZADD', KEYS[state_keys + 2 * r], slot, job)
      end
      added = added + 1
    end
  end
  if #regions > 0 then redis.call('SADD', set, unpack(regions)) end
  return added, known
end

-- region_names reads a count at ARGV[at] and as many names behind it.
local function region_names(at)
  local names = {}
  for i = 1, tonumber(ARGV[at]) do names[i] = ARGV[at + i] end
  return names, at + #names + 1
end
