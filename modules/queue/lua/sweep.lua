-- KEYS: ready; ARGV: idle (ms)
-- Forgets consumers that have long been away and hold nothing: each start of a
-- process adds one.
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], 'workers')
if consumers.err then return 0 end -- no stream or no group yet
local swept = 0
for _, c in ipairs(consumers) do
  local f = {}
  for i = 1, #c, 2 do f[c[i]] = c[i + 1] end
  if f.pending == 0 and f.idle > tonumber(ARGV[1]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', f.name)
    swept = swept + 1
  end
end
return swept
