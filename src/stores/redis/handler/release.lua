-- Writes a session and releases its lock, or calls the next of the requests that wait for it.
--
-- KEYS: as in take.lua. ARGV: 1 token; 2 `set`, `touch`, `delete`, `keep` or `nothing`; 3 seconds that the data live;
--   4 data; 5 hash of the data that were read, `?` to be asked for it, empty without locks; 6 server; 7 what was lost: `0` nothing, `1` an
--   earlier TAKE with this token may still arrive, `2` an earlier RELEASE may have run or may still arrive.
-- Returns the token, and 1 done, 0 refused since the lock was lost, 2 no data to touch, 3 if an earlier RELEASE may
--   have been done, but others have written since, or 4 nothing is done without the hash.
--
-- A request that has lost its lock writes or deletes only while nobody holds the lock and the data are still those that it
-- read. If a command was lost, the answer is kept as a mark: late commands of this request then change nothing.
-- `keep` makes an empty session where there is none.
local owner = redis.call('GET', KEYS[2])
local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
local what = ARGV[2]
local answer = 1
local failed
if not isMine and (what == 'set' or what == 'delete') and ARGV[5] ~= '' then
    local told = redis.call('GET', KEYS[5])
    if told then return {ARGV[1], tonumber(told)} end
    if ARGV[5] == '?' and ARGV[7] ~= '2' and not owner then return {ARGV[1], 4} end
    local data = redis.call('GET', KEYS[1]) or ''
    if ARGV[7] == '2' and data ~= ARGV[4] then answer = 3
    elseif ARGV[7] ~= '2' and (owner or redis.sha1hex(data) ~= ARGV[5]) then answer = 0 end
    if ARGV[7] == '2' or answer == 0 then what = 'nothing' end
end
if what == 'set' then failed = redis.pcall('SETEX', KEYS[1], ARGV[3], ARGV[4])
elseif what == 'touch' and redis.call('EXPIRE', KEYS[1], ARGV[3]) == 0 and (isMine or ARGV[5] == '') then return {ARGV[1], 2}
elseif what == 'delete' then redis.call('DEL', KEYS[1])
elseif what == 'keep' and (isMine or ARGV[5] == '') then redis.pcall('SET', KEYS[1], '', 'EX', ARGV[3], 'NX') end
if type(failed) ~= 'table' or not failed.err then failed = nil end
if isMine and not failed and redis.call('ZCARD', KEYS[3]) > 0 then
    redis.call('SET', KEYS[2], '@', 'PX', 1000)
    redis.call('DEL', KEYS[4])
    redis.call('LPUSH', KEYS[4], 1)
    redis.call('PEXPIRE', KEYS[4], 1000)
elseif isMine then
    redis.call('DEL', KEYS[2])
end
if ARGV[7] ~= '0' and not failed then redis.pcall('SET', KEYS[5], answer, 'PX', 60000) end
return failed or {ARGV[1], answer}
