<?php
// Tells what only the PHP that will serve the app can tell: its version and extensions, what its ini files or those of its
// php-fpm set, and which server the Sentinels name as the master. Follows ini-files.php, php-fpm.php, tls.php, certificates.php, connect.php,
// compressed.php.

$fpm = findFpmOfThisVersion($question);
// Settings that an earlier start of php-sessions has written are not the app's.
$read = $fpm['iniFiles'] ?? iniFiles();
$files = array_filter($read, fn ($file) => !isOurs($file));
$versions = $fpm['extensions'] ?? array_map(fn ($name) => phpversion($name) ?: null, array_combine(SESSION_EXTENSIONS, SESSION_EXTENSIONS));
$limits = array_filter(valuesIn($files, 'max_execution_time'), 'is_numeric');
$lines = array_merge(...array_map(fn ($name) => iniLines($files, $name), $question['names']));
$answer = [
    'versionId' => PHP_VERSION_ID,
    'hangsInTls13' => hangsInTls13(),
    'codecs' => [
        ...(function_exists('sodium_crypto_aead_xchacha20poly1305_ietf_encrypt') ? ['sodium'] : []),
        ...array_values(array_filter(['zstd', 'lz4', 'gzip'], 'compressionOf')),
    ],
    'phpredis' => $versions['redis'],
    'libmemcached' => libmemcached(),
    // The command line itself has no limit, whatever the ini files set.
    'maxExecutionSeconds' => $limits === [] ? null : max((int) end($limits), 0),
    'loaded' => array_keys(array_filter($versions, 'is_string')),
    'loadable' => installedExtensions(),
    'unloaded' => array_values(array_filter(installedExtensions(), fn ($name) => !extension_loaded($name))),
    'scanned' => extensionsIn(array_diff($read, [$fpm['phpIni'] ?? php_ini_loaded_file()])),
    'lines' => $lines,
    'definitions' => $fpm === null ? array_intersect_key(definitions(), array_flip($question['names'])) : [],
    'fpm' => $fpm === null ? null : ['command' => $fpm['command'], 'otherVersion' => $fpm['otherVersion'] ?? null] + fpmPlaces(),
    'locksSettings' => locksSettings(),
    'watchesUploads' => filter_var(ini_get('session.upload_progress.enabled'), FILTER_VALIDATE_BOOL),
    'savePath' => ini_get('session.save_handler') === 'files' ? ini_get('session.save_path') : null,
    'master' => null,
    'failures' => [],
];
// A plan is made of this answer: dots in place of a path or a host that contains the password would break it.
send($answer);
if (isset($question['sentinels']) && extension_loaded('redis')) {
    $deadline = microtime(true) + $question['limitSeconds'];
    while (true) {
        $found = findMaster($question, $deadline);
        send(['master' => $found['master'], 'failures' => $found['failures']] + $answer);
        if ($found['master'] !== null || microtime(true) >= $deadline) {
            break;
        }
        // During a failover there may be no master for some seconds.
        sleep(1);
    }
}

/** What each of these files gives to a setting, in the order in which PHP reads them. */
function iniLines(array $files, string $name): array
{
    $values = valuesIn($files, $name);
    return array_map(
        fn ($file, $value) => ['name' => $name, 'value' => $value, 'from' => findLine([$file], $name) ?? $file],
        array_keys($values),
        $values,
    );
}

/** The php-fpm in the question, or one of this version, with its ini files and extensions; another one has others. */
function findFpmOfThisVersion(array $question): ?array
{
    $command = findFpm($question + ['fpm' => []]);
    $info = $command === null ? '' : fpmInfo($command);
    if (!preg_match('/^PHP Version => (\S+)/m', $info, $match) || $match[1] !== PHP_VERSION) {
        return $command === null ? null : ['command' => $command, 'otherVersion' => $match[1] ?? null];
    }
    return [
        'command' => $command,
        'phpIni' => infoValue($info, 'Loaded Configuration File'),
        'iniFiles' => fpmFiles($info),
        'extensions' => fpmExtensions($info),
    ];
}

/** The version of the library of php-memcached. The headers that it was built with may be of another one. */
function libmemcached(): ?string
{
    ob_start();
    if (extension_loaded('memcached')) {
        (new ReflectionExtension('memcached'))->info();
    }
    return preg_match('/^libmemcached (?:library )?version => (\S+)$/m', ob_get_clean(), $match) === 1 ? $match[1] : null;
}

/**
 * Whether this PHP refuses to change settings of sessions at run time, as all with the fix of CVE-2026-115560 do while
 * session.upload_progress.enabled is on. A handler that is written in PHP cannot be installed there.
 */
function locksSettings(): bool
{
    try {
        ini_set('session.name', (string) ini_get('session.name'));
        return false;
    } catch (Error) {
        return true;
    }
}

/** Asks one Sentinel after the other until one names a server that is a master. */
function findMaster(array $question, float $deadline): array
{
    ['sentinelLogin' => $sentinelLogin, 'serverLogin' => $serverLogin, 'timeoutSeconds' => $seconds] = $question;
    $failures = [];
    // Even the last round gets an answer from more than one.
    $end = max($deadline, microtime(true) + 2 * $seconds);
    foreach ($question['sentinels'] as $sentinel) {
        if ($failures !== [] && microtime(true) >= $end) {
            $failures[] = 'no time was left for the others';
            break;
        }
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

/** The role that a server reports. If it reports none, the Sentinel is believed. */
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
