<?php
// The commands of a session handler for one request, and whether a server executes them. Joined to redis.php.

const TOKEN = '0123456789abcdef0123456789abcdef';
// With it phpredis releases its lock.
const UNLOCK = 'if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end';

/** The server gave no answer to a command, or closed the connection. */
final class Broken extends RuntimeException
{
    public function __construct(string $said, public readonly string $command, public readonly bool $isSilent)
    {
        parent::__construct($said);
    }
}

/** Runs one command. Returns its value, and the error of the server. */
function command(Redis|RedisCluster $redis, string ...$words): array
{
    $start = microtime(true);
    try {
        $redis->clearLastError();
        $key = $words[0] === 'EVALSHA' || $words[0] === 'EVAL' ? $words[3] : $words[1] ?? '';
        $value = $redis instanceof Redis ? $redis->rawCommand(...$words) : $redis->rawCommand($key, ...$words);
        return ['value' => $value, 'error' => $redis->getLastError()];
    } catch (RedisException | RedisClusterException $error) {
        throwIfBroken($words[0], $error, $start);
        return ['value' => false, 'error' => $error->getMessage()];
    }
}

/** phpredis says the same of a server that closes the connection and of one that is silent for too long. */
function throwIfBroken(string $command, Exception $error, float $start): void
{
    $said = $error->getMessage();
    if (preg_match('/^read error|while reconnecting|went away|^Connection lost|socket error|^protocol error|Error processing response/i', $said)) {
        throw new Broken($said, $command, microtime(true) - $start > SECONDS - 0.1);
    }
}

/**
 * Sends what a session handler sends for one request, with a key for this check. Returns what the server refused, and
 * what it answered where that was not an answer to the command. `$tell` gets each command before it is sent.
 */
function tryCommands(Redis|RedisCluster $redis, array $question, callable $tell): array
{
    $key = $question['prefix'] . 'php-sessions-doctor-' . bin2hex(random_bytes(8));
    $tell('EVAL');
    $scripts = $question['scripts'] + ['unlock' => UNLOCK];
    $question += array_map('sha1', $scripts);
    $texts = array_combine(array_map('sha1', $scripts), $scripts);
    [$own, $lesser, $name] = commandsFor($redis, $question, $key);
    $refused = [];
    foreach ($own as [$words, $isRight]) {
        $tell($words[0]);
        ['value' => $value, 'error' => $error] = command($redis, ...$words);
        if ($words[0] === 'EVALSHA' && str_starts_with((string) $error, 'NOSCRIPT')) {
            // The server does not know the script yet.
            $words = ['EVAL', $texts[$words[1]], ...array_slice($words, 2)];
            $tell($words[0]);
            ['value' => $value, 'error' => $error] = command($redis, ...$words);
        }
        if ($error !== null) {
            $refused[] = ['command' => $words[0], 'error' => $error];
        } elseif (!$isRight($value)) {
            $refused[] = ['command' => $words[0], 'error' => '', 'answer' => substr(json_encode($value) ?: '', 0, 60)];
        }
    }
    foreach ($lesser as $words) {
        $tell($words[0]);
        // The scripts send these, or an EVALSHA has done: they need the right, but a proxy need not know them.
        $error = attempt($redis, $words);
        if (str_contains($error, 'NOPERM')) {
            $refused[] = ['command' => $words[0], 'error' => $error];
        }
    }
    foreach ([$key, "{$key}_LOCK", "{$name}_LOCK", "{$name}_WAIT", "{$name}_NEXT"] as $made) {
        attempt($redis, ['DEL', $made]);
    }
    return $refused;
}

/** The error of a command that does not matter if the connection breaks. */
function attempt(Redis|RedisCluster $redis, array $words): string
{
    try {
        return (string) command($redis, ...$words)['error'];
    } catch (Broken) {
        return '';
    }
}

/** The commands of the handler, each with what tells a right answer; those that its scripts send; the keys' common name. */
function commandsFor(Redis|RedisCluster $redis, array $question, string $key): array
{
    $isDone = fn ($value) => $value === true || $value === 'OK';
    $isValue = fn ($value) => $value === 'doctor';
    $isOne = fn ($value) => $value === 1;
    $isNumber = fn ($value) => is_int($value);
    $lock = "{$key}_LOCK";
    $plain = [
        [['SETEX', $key, '10', 'doctor'], $isDone],
        [['GET', $key], $isValue],
        [['EXISTS', $key], $isOne],
        [['EXPIRE', $key, '10'], $isOne],
    ];
    $locking = [
        [['SET', $lock, 'doctor', 'NX', 'PX', '10000'], $isDone],
        [['GET', $lock], $isValue],
        [['EVALSHA', $question['unlock'], '1', $lock, 'doctor'], $isNumber],
    ];
    $end = [[['DEL', $key], $isNumber]];
    if (!$question['isManaged']) {
        return $question['locking']
            ? [[...$plain, ...$locking, ...$end], [['EVAL', 'return 1', '1', $key]], $key]
            : [[...$plain, ...$end], [], $key];
    }
    $name = needsOneSlot($redis, $question, $key) ? "{{$key}}" : $key;
    $queue = "{$name}_WAIT";
    $waiting = [
        ['TIME'],
        ['PTTL', $queue],
        ['ZADD', $queue, '1', 'doctor'],
        ['ZREMRANGEBYSCORE', $queue, '-inf', '0'],
        ['ZCARD', $queue],
        ['ZREM', $queue, 'doctor'],
        ['LPUSH', $queue, 'doctor'],
        ['PEXPIRE', $queue, '10000'],
        ['BLPOP', $queue, '1'],
    ];
    $lesser = array_column([...$plain, [['SET', $lock, 'doctor', 'NX', 'PX', '10000']], ...$end], 0);
    return [
        [...scriptCommands($question, $key, $name), [['GET', $key], $isValue], ...$end],
        [['EVAL', 'return 1', '1', $key], ...$lesser, ...$question['locking'] ? $waiting : []],
        $name,
    ];
}

/** The managed handler's scripts as it runs them, by their hash. */
function scriptCommands(array $question, string $key, string $name): array
{
    $keys = ['5', $key, "{$name}_LOCK", "{$name}_WAIT", "{$name}_NEXT", "{$name}_DONE_" . TOKEN];
    $locking = $question['locking'];
    $taking = $locking ? [TOKEN, '10000', 'first', '9999999999999', '0', '10', '|||doctor|', '', '0'] : [TOKEN];
    $releasing = [TOKEN, 'set', '10', 'doctor', $locking ? sha1('') : '', '', '0'];
    $isAnswer = fn ($value) => is_array($value) && ($value[0] ?? null) === TOKEN && ($value[1] ?? null) === 1;
    return [
        [['EVALSHA', $question[$locking ? 'take' : 'read'], ...$keys, ...$taking], $isAnswer],
        [['EVALSHA', $question['release'], ...$keys, ...$releasing], $isAnswer],
    ];
}

/** The managed handler's keys are in the slot of the data on a cluster, and where one address hides a cluster. */
function needsOneSlot(Redis|RedisCluster $redis, array $question, string $key): bool
{
    if ($redis instanceof RedisCluster) {
        return true;
    }
    $names = [$key, "{$key}_LOCK", "{$key}_WAIT", "{$key}_NEXT", "{$key}_DONE_" . TOKEN];
    return str_starts_with((string) command($redis, 'EVAL', 'return #KEYS', '5', ...$names)['error'], 'CROSSSLOT');
}
