-- Takes the lock of a session and reads the session, or joins the requests that wait for it.
--
-- KEYS: 1 data; 2 lock: `TOKEN TIME|INSTANCE|PROCESS|METHOD|/path @SERVER`, which are the token of its owner, since when
--   it has the lock, what it says of itself, and the server that gave it; or `@` on its way to a waiter;
--   3 waiters: their tokens, by the time until which each is believed to wait; 4 list that calls one of them;
--   5 mark of a request that has ended.
-- ARGV: 1 token; 2 milliseconds that the lock lives; 3 `first`, `again` or `woken`; 4 latest time;
--   5 `1` if the session must exist; 6 how many may wait; 7 what the request says of itself; 8 server; 9 as in release.lua.
-- Returns the token, and 1 and the data, or 0 wait, 2 too many wait and the milliseconds that the lock still lives,
--   3 and the server's time if it is too late, 4 no such session, 5 this request has ended. 0 comes with how many wait. 0
--   and 2 end with the lock and the server's time.
--
-- The latest time is by the server's clock, in milliseconds, as the request assumes it to be: a server that was frozen
-- must not give the lock to a request that has ended. A lock given by another server may have been released there
-- without the knowledge of this one.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[4]) then return {ARGV[1], 3, tostring(now)} end
local owner = redis.call('GET', KEYS[2])
local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
if not owner or isMine or (owner == '@' and ARGV[3] == 'woken') then
    if redis.call('EXISTS', KEYS[5]) == 1 then return {ARGV[1], 5} end
    local data = redis.call('GET', KEYS[1])
    if ARGV[3] ~= 'first' then redis.call('ZREM', KEYS[3], ARGV[1]) end
    if ARGV[5] == '1' and not owner and not data then return {ARGV[1], 4} end
    redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. now .. ARGV[7] .. ARGV[8], 'PX', ARGV[2])
    return {ARGV[1], 1, data}
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], 0, now)
if ARGV[3] == 'first' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[6]) then
    return {ARGV[1], 2, redis.call('PTTL', KEYS[2]), string.sub(owner, 1, 300), now}
end
redis.call('ZADD', KEYS[3], now + 1500, ARGV[1])
redis.call('PEXPIRE', KEYS[3], 1500)
local giver = string.match(owner, '(@[^ |]+)$')
if giver and ' ' .. giver ~= ARGV[8] and redis.call('PTTL', KEYS[2]) > 5000 then redis.call('PEXPIRE', KEYS[2], 5000) end
return {ARGV[1], 0, redis.call('ZCARD', KEYS[3]), string.sub(owner, 1, 300), now}
