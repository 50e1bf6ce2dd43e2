<?php

/**
 * Connects phpredis to a server, over TLS if there are options for it. `$seconds` are the limits for connecting and for
 * each answer. The exception of a failure names the cause.
 */
function connectRedis(array $server, ?array $tls, array $seconds): \Redis
{
    [$toConnect, $toRead] = $seconds;
    $host = ($tls === null ? '' : 'tls://') . $server['host'];
    $context = $tls === null ? [] : ['stream' => $tls];
    $arguments = [$host, $server['port'], $toConnect, null, 0, $toRead, $context];
    $client = new \Redis();
    $said = '';
    // A failed handshake is a warning, which would end up in the page. The second line of its text has the cause.
    set_error_handler(function (int $level, string $message) use (&$said): bool {
        $said = $said === '' ? preg_replace(['/^.*?\(\): /', '/\s+/'], ['', ' '], $message) : $said;
        return true;
    });
    try {
        if (!$client->connect(...$arguments)) {
            throw new \RedisException('no connection');
        }
    } catch (\RedisException $error) {
        throw new \RedisException($said !== '' ? $said : $error->getMessage());
    } finally {
        restore_error_handler();
    }
    return $client;
}

/** A login in phpredis' form: a password, a user with a password, or null without a password. */
function phpredisLogin(?string $user, #[\SensitiveParameter] ?string $password): string|array|null
{
    return $user === null || $password === null ? $password : [$user, $password];
}

/** Asks a Sentinel for the address of the master with this name. */
function askForMaster(\Redis $sentinel, string $name): array
{
    $found = $sentinel->rawCommand('SENTINEL', 'get-master-addr-by-name', $name);
    if (!is_array($found) || count($found) !== 2) {
        throw new \RedisException($sentinel->getLastError() ?: "knows no master $name");
    }
    return ['host' => $found[0], 'port' => (int) $found[1]];
}
