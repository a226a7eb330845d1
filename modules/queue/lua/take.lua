-- KEYS: state, ready, held, delayed, late, dying, gone, leases
-- ARGV: stopped clock, jobs wanted, consumer, region, take ahead, backlog after,
-- lease margin, expired share, step (the most that is moved between piles)
-- Gives: wait (ms, -1: for what is added), whether to ask again at once, leases
-- that ended, jobs that cannot be read, then id, taken, expired, job of each
local state, ready, held, delayed, late, dying, gone, leases = unpack(KEYS)
local now, wanted = clock(ARGV[1]), tonumber(ARGV[2])
local consumer, region, ahead = ARGV[3], ARGV[4], tonumber(ARGV[5])
local overdue = now - tonumber(ARGV[6])
local margin, share, step = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local more, reclaimed, broken = 0, 0, 0

local function drop(id)
  redis.call('XACK', ready, 'workers', id)
  redis.call('XDEL', ready, id)
  broken = broken + 1
end

-- shelve puts a job that is no longer on time to the backlog or what expired.
local function shelve(id, job)
  local slot, expires = times(job)
  if expires < now then
    redis.call('ZADD', gone, slot, id)
  else
    redis.call('ZADD', late, slot, id)
    redis.call('ZADD', dying, expires, id)
  end
end

local function settle()
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now + ahead, 'LIMIT', 0, step)
  for _, job in ipairs(due) do redis.call('XADD', ready, '*', 'j', job) end
  if #due > 0 then redis.call('ZREM', delayed, unpack(due)) end

  local over = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, step)
  for _, id in ipairs(over) do
    local entry = redis.call('XRANGE', ready, id, id)[1]
    if entry then
      shelve(id, entry[2][2])
      reclaimed = reclaimed + 1
    end
  end
  if #over > 0 then redis.call('ZREM', leases, unpack(over)) end

  local dead = redis.call('ZRANGEBYSCORE', dying, '-inf', '(' .. now, 'LIMIT', 0, step)
  for _, id in ipairs(dead) do
    redis.call('ZADD', gone, redis.call('ZSCORE', late, id) or now, id)
  end
  if #dead > 0 then
    redis.call('ZREM', dying, unpack(dead))
    redis.call('ZREM', late, unpack(dead))
  end
  if math.max(#due, #over, #dead) == step then more = 1 end
end

-- unread reads what no worker was given. The group is made where it is missing: on
-- a new stream, and on one whose server lost everything.
local function unread(count)
  local args = {'XREADGROUP', 'GROUP', 'workers', consumer, 'COUNT', count, 'STREAMS', ready, '>'}
  local reply = redis.pcall(unpack(args))
  if reply and reply.err then
    redis.call('XGROUP', 'CREATE', ready, 'workers', '0', 'MKSTREAM')
    reply = redis.call(unpack(args))
  end
  return reply and reply[1][2] or {}
end

-- placed reports whether an entry is in some pile already, as after somebody
-- removed the group and it was made again from the start.
local function placed(id)
  for _, pile in ipairs({leases, late, gone}) do
    if redis.call('ZSCORE', pile, id) then return true end
  end
  return false
end

-- counts gives, for each entry, how often its job was handed out before.
local function counts(entries)
  if #entries == 0 then return {} end
  local names = {}
  for i, e in ipairs(entries) do names[i] = name(e[2][2], region) end
  local values = redis.call('HMGET', held, unpack(names))
  for i, v in ipairs(values) do
    values[i] = v and v ~= '' and tonumber(string.match(v, '%d+$')) or 0
  end
  return values
end

local out, values, ends = {0, 0, 0, 0}, {}, {}

local function hand_out(entries)
  local earlier = counts(entries)
  for i, e in ipairs(entries) do
    local id, job = e[1], e[2][2]
    local slot, expires, timeout = times(job)
    local taken = earlier[i] + 1
    out[#out + 1], out[#out + 2], out[#out + 3], out[#out + 4] = id, taken, expires < now and 1 or 0, job
    values[#values + 1], values[#values + 2] = name(job, region), id .. '.' .. taken
    ends[#ends + 1], ends[#ends + 2] = math.max(now, slot) + timeout + margin, id
  end
end

-- claim makes shelved entries the consumer's, and takes them off their piles.
local function claim(ids)
  if #ids == 0 then return {} end
  local args = {'XCLAIM', ready, 'workers', consumer, 0}
  for _, id in ipairs(ids) do args[#args + 1] = id end
  args[#args + 1] = 'FORCE'
  local entries = {}
  for _, e in ipairs(redis.call(unpack(args))) do
    if e then entries[#entries + 1] = e end
  end
  for _, pile in ipairs({late, dying, gone}) do redis.call('ZREM', pile, unpack(ids)) end
  return entries
end

settle()

-- While there is something to run, one in share may be an expired one.
local s = redis.call('HMGET', state, 'pace', 'burst', 'tokens', 'at', 'credit:' .. region)
local before, expired, quota = tonumber(s[5]) or 0, redis.call('ZCARD', gone), 0
local credit = before
if expired > 0 then
  for _ = 1, wanted do
    if credit >= share - 1 and quota < expired then
      quota, credit = quota + 1, 0
    else
      credit = credit + 1
    end
  end
end

-- What is on time, in the stream's order; on the way all else is shelved.
local want, read, drained = wanted - quota, 0, false
local run = {}
while #run < want and read < step do
  local count = math.min(want - #run, step - read)
  local entries = unread(count)
  read = read + #entries
  for _, e in ipairs(entries) do
    local id, job = e[1], e[2][2]
    if #job < HEAD then
      drop(id)
    elseif not (times(job) >= overdue) then
      if not redis.call('ZSCORE', leases, id) then shelve(id, job) end
    else
      run[#run + 1] = e
    end
  end
  if #entries < count then
    drained = true
    break
  end
end
if #run > 0 then
  local fresh, taken = {}, counts(run)
  for i, e in ipairs(run) do
    if taken[i] == 0 or not placed(e[1]) then fresh[#fresh + 1] = e end
  end
  run = fresh
end
local handed = #run
hand_out(run)

-- The backlog, newest slots first, within the allowance. It waits until the stream
-- was read up: its newest ones are at the end.
local pace, burst = tonumber(s[1]) or 0, tonumber(s[2]) or 0
local tokens, at = tonumber(s[3]) or 0, tonumber(s[4]) or now
if pace > 0 then
  tokens = math.min(burst, tokens + pace * math.max(now - at, 0) / 1000)
  -- What is on time is owed by the backlog, up to what is handed out at once after
  -- a long stop.
  tokens = math.max(tokens - handed, -pace / 2 * (ahead + tonumber(ARGV[6])) / 1000)
end
if drained and handed < want then
  local allowed = want - handed
  if pace > 0 then allowed = math.min(allowed, math.floor(tokens)) end
  if allowed > 0 then
    local entries = claim(redis.call('ZREVRANGE', late, 0, allowed - 1))
    hand_out(entries)
    handed, tokens = handed + #entries, tokens - #entries
  end
elseif not drained then
  more = 1
end

local dead = {}
if expired > 0 and handed < wanted then
  dead = claim(redis.call('ZRANGE', gone, 0, wanted - handed - 1))
  hand_out(dead)
end
if #dead == 0 then
  credit = math.min(before + handed, share)
elseif #dead > quota then
  credit = 0
end

if #values > 0 then
  redis.call('HSET', held, unpack(values))
  redis.call('ZADD', leases, unpack(ends))
  redis.call('HSET', state, 'credit:' .. region, credit)
  if pace > 0 then
    redis.call('HSET', state, 'tokens', string.format('%.6f', tokens), 'at', now)
  end
end

-- When something may be taken without anything being added.
local wait = -1
local function soonest(moment)
  local left = math.max(math.ceil(moment - now), 0)
  if wait < 0 or left < wait then wait = left end
end
if #values == 0 then
  local head = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  if head[2] then soonest(head[2] - ahead) end
  head = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
  if head[2] then soonest(tonumber(head[2])) end
  if redis.call('EXISTS', late) == 1 then
    soonest(pace > 0 and now + (1 - tokens) * 1000 / pace + 1 or now)
  end
end
out[1], out[2], out[3], out[4] = wait, more, reclaimed, broken
return out
