local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[4]) then return {ARGV[1], 3, tostring(now)} end
local owner = redis.call('GET', KEYS[2])
local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
if not owner or isMine or (owner == '@' and ARGV[3] == 'woken') then
    local data = redis.call('GET', KEYS[1])
    if ARGV[3] ~= 'first' then redis.call('ZREM', KEYS[3], ARGV[1]) end
    if ARGV[5] == '1' and not owner and not data then return {ARGV[1], 4} end
    redis.call('SET', KEYS[2], ARGV[1] .. ARGV[6], 'PX', ARGV[2])
    return {ARGV[1], 1, data}
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], 0, now)
if ARGV[3] == 'first' and redis.call('ZCARD', KEYS[3]) >= 100 then return {ARGV[1], 2} end
redis.call('ZADD', KEYS[3], now + 1500, ARGV[1])
redis.call('PEXPIRE', KEYS[3], 1500)
local giver = string.match(owner, '^%x+(@.+)$')
if giver and giver ~= ARGV[6] and redis.call('PTTL', KEYS[2]) > 5000 then redis.call('PEXPIRE', KEYS[2], 5000) end
return {ARGV[1], 0}
