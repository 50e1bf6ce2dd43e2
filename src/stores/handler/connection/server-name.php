<?php

namespace PhpSessions;

use function str_contains, str_starts_with;

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
