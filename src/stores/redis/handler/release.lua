-- Writes a session and releases its lock, or calls the next of the requests that wait for it.
--
-- KEYS: as in take.lua. ARGV: 1 token; 2 `set`, `touch`, `delete`, `keep` or `nothing`; 3 seconds that the data live;
--   4 data; 5 hash of the data that were read, empty without locks; 6 server; 7 number of the try.
-- Returns the token, and 1 done, 0 refused since the lock was lost, or 2 no data to touch.
--
-- A request that has lost its lock writes or deletes only while nobody holds the lock and the data are still those that it
-- read. `keep` makes an empty session where there is none.
local owner = redis.call('GET', KEYS[2])
local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
local failed
if not isMine and (ARGV[2] == 'set' or ARGV[2] == 'delete') and ARGV[5] ~= '' then
    local data = redis.call('GET', KEYS[1]) or ''
    if ARGV[7] ~= '0' and data == ARGV[4] then return {ARGV[1], 1} end
    if owner or redis.sha1hex(data) ~= ARGV[5] then return {ARGV[1], 0} end
end
if ARGV[2] == 'set' then failed = redis.pcall('SETEX', KEYS[1], ARGV[3], ARGV[4])
elseif ARGV[2] == 'touch' and redis.call('EXPIRE', KEYS[1], ARGV[3]) == 0 then return {ARGV[1], 2}
elseif ARGV[2] == 'delete' then redis.call('DEL', KEYS[1])
elseif ARGV[2] == 'keep' and (isMine or ARGV[5] == '') then redis.pcall('SET', KEYS[1], '', 'EX', ARGV[3], 'NX') end
if type(failed) ~= 'table' or not failed.err then failed = nil end
if isMine and not failed and redis.call('ZCARD', KEYS[3]) > 0 then
    redis.call('SET', KEYS[2], '@', 'PX', 1000)
    redis.call('DEL', KEYS[4])
    redis.call('LPUSH', KEYS[4], 1)
    redis.call('PEXPIRE', KEYS[4], 1000)
elseif isMine then
    redis.call('DEL', KEYS[2])
end
return failed or {ARGV[1], 1}
