<?php
// Logs in to Redis with phpredis and asks for what matters to sessions. Follows tls.php, certificates.php, connect.php,
// handler-commands.php.

const SECONDS = 1.5;

$answer = ['login' => null, 'error' => null, 'sending' => 'AUTH'];
try {
    answer($answer);
    $redis = openRedis($question);
    $answer['error'] = logIn($redis, $question);
    $answer['login'] = $answer['error'] === null;
    if ($answer['login']) {
        $answer += lookBy($question);
        answer(['sending' => 'SELECT'] + $answer);
        $answer['select'] = select($redis, $question);
        $client = $question['isCluster'] ? openCluster($question) : $redis;
        $tell = fn (string $command) => answer(['sending' => $command] + $answer);
        $answer['commands'] = tryCommands($client, $question, $tell);
    }
} catch (Broken $broken) {
    $answer['broken'] = ['command' => $broken->command, 'isSilent' => $broken->isSilent, 'said' => $broken->getMessage()];
} catch (Throwable $error) {
    $answer['error'] = $error->getMessage();
}
answer(['sending' => null] + $answer);

/** Connects to the first server that accepts a connection. */
function openRedis(array $question): Redis
{
    $last = new RuntimeException('no server');
    foreach (present($question) as $server) {
        try {
            $tls = $question['tls'] ? tlsOptionsFor($server['host']) : null;
            return connectRedis($server, $tls, [SECONDS, SECONDS]);
        } catch (RedisException $error) {
            $last = $error;
        }
    }
    throw $last;
}

/** The servers that need to be tried. */
function present(array $question): array
{
    return array_values(array_filter($question['servers'], fn ($server) => !$server['isAway']));
}

function openCluster(array $question): RedisCluster
{
    ['tls' => $isTls, 'user' => $user, 'password' => $password] = $question;
    $seeds = array_map(fn ($server) => ($isTls ? 'tls://' : '') . "{$server['host']}:{$server['port']}", present($question));
    $tls = $isTls ? tlsOptionsFor(null) : null;
    return new RedisCluster(null, $seeds, SECONDS, SECONDS, false, phpredisLogin($user, $password), $tls);
}

/** Logs in. Returns the reason of the server for refusing that, or null. */
function logIn(Redis $redis, array $question): ?string
{
    $login = phpredisLogin($question['user'], $question['password']);
    if ($login !== null) {
        $start = microtime(true);
        try {
            // What begins with ERR is no exception.
            if (!$redis->auth($login)) {
                return $redis->getLastError() ?? '';
            }
        } catch (RedisException $error) {
            throwIfBroken('AUTH', $error, $start);
            return $error->getMessage();
        }
    }
    // A user for sessions alone may be logged in without the right to send PING, and a proxy may not know it.
    $error = command($redis, 'PING')['error'];
    $isNoMatter = str_starts_with((string) $error, 'NOPERM') && $login !== null
        || preg_match('/unknown command|unsupported command/i', (string) $error) === 1;
    return $isNoMatter ? null : $error;
}

function select(Redis $redis, array $question): ?string
{
    $database = $question['database'];
    return $database === null || $database === 0 ? null : command($redis, 'SELECT', (string) $database)['error'];
}

/**
 * Asks what only the doctor asks, over a connection of its own: a proxy may close it at a command that it does not know.
 */
function lookBy(array $question): array
{
    $told = ['role' => null, 'master' => null, 'info' => (object) [], 'clusterState' => null];
    try {
        $redis = openRedis($question);
        logIn($redis, $question);
        $role = command($redis, 'ROLE')['value'];
        $told['role'] = is_array($role) ? $role[0] : null;
        $told['master'] = is_array($role) && $role[0] === 'slave' ? "$role[1]:$role[2]" : null;
        $info = command($redis, 'INFO')['value'];
        preg_match_all('/^(\w+):(.*?)\r?$/m', is_string($info) ? $info : '', $lines);
        $told['info'] = (object) array_intersect_key(array_combine($lines[1], $lines[2]), array_flip([
            'redis_version', 'valkey_version', 'redis_mode', 'cluster_enabled', 'maxmemory', 'maxmemory_policy',
            'used_memory', 'evicted_keys', 'connected_clients', 'maxclients',
        ]));
        $cluster = command($redis, 'CLUSTER', 'INFO')['value'];
        $told['clusterState'] = preg_match('/cluster_state:(\w+)/', (string) $cluster, $m) ? $m[1] : null;
    } catch (Broken | RedisException) {
        // What counts are the commands of the handler.
    }
    return $told;
}
