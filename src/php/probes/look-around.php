<?php
// Tells what only the PHP that will serve the app can tell: its version and extensions, what its ini files set, and which
// server the Sentinels name as the master. Follows ini-files.php, tls.php, certificates.php, connect.php.

// Settings that an earlier start of php-sessions has written are not the app's.
$files = array_filter(iniFiles(), fn ($file) => !isOurs($file));
$limits = array_filter(valuesIn($files, 'max_execution_time'), 'is_numeric');
$prepended = valuesIn($files, 'auto_prepend_file');
$answer = [
    'versionId' => PHP_VERSION_ID,
    'hangsInTls13' => hangsInTls13(),
    'phpredis' => phpversion('redis') ?: null,
    // The command line itself has no limit, whatever the ini files set.
    'maxExecutionSeconds' => $limits === [] ? null : max((int) end($limits), 0),
    'prependFiles' => array_map(
        fn ($file, $value) => ['value' => $value, 'from' => $file],
        array_keys($prepended),
        $prepended,
    ),
    'loaded' => array_values(array_filter(SESSION_EXTENSIONS, 'extension_loaded')),
    'loadable' => installedExtensions(),
    'master' => null,
    'failures' => [],
];
// A plan is made of this answer: dots in place of a path or a host that contains the password would break it.
send($answer);
if (isset($question['sentinels']) && extension_loaded('redis')) {
    $deadline = microtime(true) + $question['limitSeconds'];
    while (true) {
        $found = findMaster($question);
        send(['master' => $found['master'], 'failures' => hide($found['failures'])] + $answer);
        if ($found['master'] !== null || microtime(true) >= $deadline) {
            break;
        }
        // During a failover there may be no master for some seconds.
        sleep(1);
    }
}

/** Asks one Sentinel after the other until one names a server that is a master. */
function findMaster(array $question): array
{
    ['sentinelLogin' => $sentinelLogin, 'serverLogin' => $serverLogin, 'timeoutSeconds' => $seconds] = $question;
    $failures = [];
    foreach ($question['sentinels'] as $sentinel) {
        try {
            $master = askForMaster(openRedis($sentinel, $sentinelLogin, $seconds), $question['masterName']);
            $role = readRole(openRedis($master, $serverLogin, $seconds));
            if ($role !== 'master') {
                throw new RuntimeException('names ' . serverName($master) . ", which is a $role");
            }
            return ['master' => $master, 'failures' => []];
        } catch (Throwable $error) {
            $failures[] = serverName($sentinel) . ' ' . $error->getMessage();
        }
    }
    return ['master' => null, 'failures' => $failures];
}

/** The role of a server by its own account. If it does not tell, the Sentinel is believed. */
function readRole(Redis $client): string
{
    $role = $client->rawCommand('ROLE');
    return is_array($role) ? $role[0] : 'master';
}

function openRedis(array $server, array $login, float $seconds): Redis
{
    ['tls' => $isTls, 'user' => $user, 'password' => $password] = $login;
    $client = connectRedis($server, $isTls ? tlsOptionsFor($server['host']) : null, [$seconds, $seconds]);
    if ($password !== null) {
        $client->auth(phpredisLogin($user, $password));
    }
    return $client;
}
