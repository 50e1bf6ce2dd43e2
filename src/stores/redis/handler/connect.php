<?php

namespace PhpSessions;

/**
 * Connects phpredis to a server, over TLS if there are options for it. `$seconds` are the limits for connecting and for
 * each answer. A connection with a pool stays open for later requests. The exception of a failure names the cause.
 */
function connectRedis(array $server, ?array $tls, array $seconds, ?string $pool = null): \Redis
{
    [$toConnect, $toRead] = $seconds;
    $host = ($tls === null ? '' : 'tls://') . $server['host'];
    $context = $tls === null ? [] : ['stream' => $tls];
    $arguments = [$host, $server['port'], $toConnect, $pool, 0, $toRead, $context];
    $client = new \Redis();
    $said = '';
    // A failed handshake is a warning, which would end up in the page. The second line of its text has the cause.
    set_error_handler(function (int $level, string $message) use (&$said): bool {
        $said = $said === '' ? preg_replace(['/^.*?\(\): /', '/\s+/'], ['', ' '], $message) : $said;
        return true;
    });
    try {
        $isConnected = $pool === null ? $client->connect(...$arguments) : $client->pconnect(...$arguments);
        if (!$isConnected) {
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

/** The name of a server in messages. */
function serverName(array $server): string
{
    ['host' => $host, 'port' => $port] = $server;
    return match (true) {
        str_starts_with($host, '/') => $host,
        str_contains($host, ':') => "[$host]:$port",
        default => "$host:$port",
    };
}
