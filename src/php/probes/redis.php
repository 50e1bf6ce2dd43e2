<?php
// Logs in to Redis with phpredis and asks for what matters to sessions. Follows tls.php, certificates.php, connect.php.

const SECONDS = 1.5;

$answer = ['login' => null, 'error' => null];
try {
    $redis = openRedis($question);
    $answer['error'] = logIn($redis, $question);
    $answer['login'] = $answer['error'] === null;
    if ($answer['login']) {
        answer($answer);
        $answer += look($redis, $question);
        answer($answer);
        $answer += ['commands' => tryCommands($question['isCluster'] ? openCluster($question) : $redis, $question)];
    }
} catch (Throwable $error) {
    $answer['error'] = $error->getMessage();
}
answer($answer);

/** Connects to the first server that accepts a connection. */
function openRedis(array $question): Redis
{
    $last = new RuntimeException('no server');
    foreach ($question['servers'] as $server) {
        try {
            $tls = $question['tls'] ? tlsOptionsFor($server['host']) : null;
            return connectRedis($server, $tls, [SECONDS, SECONDS]);
        } catch (RedisException $error) {
            $last = $error;
        }
    }
    throw $last;
}

function openCluster(array $question): RedisCluster
{
    ['servers' => $servers, 'tls' => $isTls, 'user' => $user, 'password' => $password] = $question;
    $seeds = array_map(fn ($server) => ($isTls ? 'tls://' : '') . "{$server['host']}:{$server['port']}", $servers);
    $tls = $isTls ? tlsOptionsFor(null) : null;
    return new RedisCluster(null, $seeds, SECONDS, SECONDS, false, phpredisLogin($user, $password), $tls);
}

/** Logs in. Returns the reason of the server for refusing that, or null. */
function logIn(Redis $redis, array $question): ?string
{
    $login = phpredisLogin($question['user'], $question['password']);
    if ($login !== null) {
        try {
            $redis->auth($login);
        } catch (RedisException $error) {
            return $error->getMessage();
        }
    }
    // A user for sessions alone may be logged in without the right to send PING.
    $error = command($redis, 'PING')['error'];
    return $login !== null && str_starts_with((string) $error, 'NOPERM') ? null : $error;
}

/** Runs one command. Returns its value, and the error of the server. */
function command(Redis|RedisCluster $redis, string ...$words): array
{
    try {
        $redis->clearLastError();
        $key = $words[0] === 'EVALSHA' || $words[0] === 'EVAL' ? $words[3] : $words[1] ?? '';
        $value = $redis instanceof Redis ? $redis->rawCommand(...$words) : $redis->rawCommand($key, ...$words);
        return ['value' => $value, 'error' => $redis->getLastError()];
    } catch (RedisException | RedisClusterException $error) {
        return ['value' => false, 'error' => $error->getMessage()];
    }
}

function look(Redis $redis, array $question): array
{
    $role = command($redis, 'ROLE')['value'];
    $told = command($redis, 'INFO')['value'];
    preg_match_all('/^(\w+):(.*?)\r?$/m', is_string($told) ? $told : '', $lines);
    $info = array_combine($lines[1], $lines[2]);
    $database = $question['database'];
    return [
        'role' => is_array($role) ? $role[0] : null,
        'master' => is_array($role) && $role[0] === 'slave' ? "$role[1]:$role[2]" : null,
        'info' => array_intersect_key($info, array_flip([
            'redis_version', 'valkey_version', 'redis_mode', 'cluster_enabled', 'maxmemory', 'maxmemory_policy',
            'used_memory', 'evicted_keys', 'connected_clients', 'maxclients',
        ])),
        'clusterState' => preg_match('/cluster_state:(\w+)/', (string) command($redis, 'CLUSTER', 'INFO')['value'], $m)
            ? $m[1]
            : null,
        'select' => $database === null || $database === 0 ? null : command($redis, 'SELECT', (string) $database)['error'],
    ];
}

/** Sends what a session handler sends for one request, with a key for this check. Returns what the server refused. */
function tryCommands(Redis|RedisCluster $redis, array $question): array
{
    $key = $question['prefix'] . 'php-sessions-doctor-' . bin2hex(random_bytes(8));
    // The managed handler's keys are in the slot of the data on a cluster, and where one address hides a cluster.
    $counting = fn (string $name) => ['EVAL', 'return #KEYS', '4', $key, "{$name}_LOCK", "{$name}_WAIT", "{$name}_NEXT"];
    $needsOneSlot = $redis instanceof RedisCluster
        || $question['isManaged'] && str_starts_with((string) command($redis, ...$counting($key))['error'], 'CROSSSLOT');
    $name = $needsOneSlot ? "{{$key}}" : $key;
    $lock = ($question['isManaged'] ? $name : $key) . '_LOCK';
    $unlock = 'if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end';
    $locking = [
        ['SET', $lock, 'doctor', 'NX', 'PX', '10000'],
        ['GET', $lock],
        ['EVALSHA', sha1($unlock), '1', $lock, 'doctor'],
        ['EVAL', $unlock, '1', $lock, 'doctor'],
    ];
    $queue = "{$name}_WAIT";
    $queueing = [
        $counting($name),
        ['TIME'],
        ['PTTL', $lock],
        ['ZADD', $queue, '1', 'doctor'],
        ['ZREMRANGEBYSCORE', $queue, '-inf', '0'],
        ['ZCARD', $queue],
        ['ZREM', $queue, 'doctor'],
        ['LPUSH', $queue, 'doctor'],
        ['PEXPIRE', $queue, '10000'],
        ['BLPOP', $queue, '1'],
    ];
    $commands = [
        ['SETEX', $key, '10', 'doctor'],
        ['GET', $key],
        ['EXISTS', $key],
        ['EXPIRE', $key, '10'],
        ...$question['locking'] ? $locking : [],
        ...$question['locking'] && $question['isManaged'] ? $queueing : [],
        ['DEL', $key],
    ];
    $refused = [];
    foreach ($commands as $words) {
        $error = command($redis, ...$words)['error'];
        if ($error !== null && !str_starts_with($error, 'NOSCRIPT')) {
            $refused[] = ['command' => $words[0], 'error' => $error];
        }
    }
    if ($refused !== []) {
        command($redis, 'DEL', $key);
        command($redis, 'DEL', $lock);
        command($redis, 'DEL', $queue);
    }
    return $refused;
}
