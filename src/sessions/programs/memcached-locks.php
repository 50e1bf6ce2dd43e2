<?php

namespace PhpSessions;

const LOOKS = 3;

/** Finds the locks among all keys of a Memcached, which it lists only to clients without a login. Its clock is not known. */
function addMemcachedLocks(Locks $locks, Cache $cache): void
{
    $begin = "{$cache->settings['prefix']}lock.";
    $found = [];
    // It leaves out what is in use at that moment, as a lock is for which others wait.
    for ($look = 0; $look < LOOKS; $look++) {
        $found += memcachedKeys($cache->settings, $begin);
    }
    foreach (array_chunk($found, 500, true) as $ends) {
        $names = array_map(strval(...), array_keys($ends));
        try {
            $items = Pace::step(fn (): array => $cache->ask(...array_map(fn (string $name): array => ['get', $name], $names)));
        } catch (ServerFailed $failure) {
            throw new StoreFailed($failure->getMessage());
        }
        foreach ($names as $i => $name) {
            if ($items[$i] !== null) {
                $line = new Line($items[$i][0]);
                $text = $line->isFree ? '@' : $line->holder();
                $left = $ends[$name] < 0 ? null : (float) max(0, $ends[$name] - time());
                $locks->add(substr($name, strlen($begin)), $text, (int) (microtime(true) * 1000), $left, count($line->waiting));
            }
        }
    }
}

/** When the keys end that begin so: in seconds since 1970, -1 for never. */
function memcachedKeys(#[\SensitiveParameter] array $settings, string $begin): array
{
    $server = serverName($settings['server']);
    if ($settings['password'] !== null) {
        throw new StoreFailed("$server asks for a login (SASL), and Memcached lists its keys only without one");
    }
    return Warnings::quietly(function () use ($settings, $begin, $server): array {
        $address = str_starts_with($settings['server']['host'], '/') ? "unix://{$settings['server']['host']}" : "tcp://$server";
        $stream = stream_socket_client($address, $code, $why, $settings['connectSeconds'])
            ?: throw new StoreFailed("$server: $why");
        stream_set_timeout($stream, 10);
        fwrite($stream, "lru_crawler metadump all\r\n");
        $ends = [];
        while (($line = fgets($stream)) !== false && rtrim($line) !== 'END') {
            if (preg_match('/^(ERROR|CLIENT_ERROR|SERVER_ERROR|BUSY)/', $line)) {
                throw new StoreFailed("$server does not list its keys (lru_crawler metadump): " . printable(rtrim($line)));
            }
            $key = preg_match('/^key=(\S+) exp=(-?\d+)/', $line, $found) ? rawurldecode($found[1]) : '';
            if (str_starts_with($key, $begin)) {
                $ends[$key] = (int) $found[2];
            }
        }
        return $line === false
            ? throw new StoreFailed("$server does not list its keys (lru_crawler metadump): it closed the connection, or said nothing")
            : $ends;
    });
}
