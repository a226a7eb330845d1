-- KEYS: state, held, regions, then ready and delayed of each region
-- ARGV: stopped clock, take ahead, room needed, bound, regions, jobs
-- Gives: verdict, added, known
local now = clock(ARGV[1])
if redis.call('HLEN', KEYS[2]) + tonumber(ARGV[3]) > tonumber(ARGV[4]) then return {'full'} end
local regions, from = region_names(5)
local added, known = add(3, now, tonumber(ARGV[2]), regions, from)
return {'done', added, known}
