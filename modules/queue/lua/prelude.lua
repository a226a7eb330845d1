-- What all scripts share. Every key a script touches is in KEYS and belongs to one
-- partition. A job is a string whose first 33 bytes scripts read: version (1
-- byte), monitor id and slot (8 each: with the region, the job's name), expiry
-- and timeout (8 each). Slot, expiry and timeout are doubles, in milliseconds.
local HEAD = 33

-- clock is the server's, in milliseconds; a test may stop it at a time of its own.
local function clock(stopped)
  if stopped ~= '' then return tonumber(stopped) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function times(job)
  local slot, expires, timeout = struct.unpack('>ddd', job, 10)
  return slot, expires, timeout
end

local function name(job, region) return string.sub(job, 2, 17) .. region end

-- next_unread is the first entry of a stream that the group was not given.
local function next_unread(ready)
  local from = '-'
  local groups = redis.pcall('XINFO', 'GROUPS', ready)
  if not groups.err and groups[1] then
    for i = 1, #groups[1], 2 do
      if groups[1][i] == 'last-delivered-id' then from = '(' .. groups[1][i + 1] end
    end
  end
  return redis.call('XRANGE', ready, from, '+', 'COUNT', 1)[1]
end
