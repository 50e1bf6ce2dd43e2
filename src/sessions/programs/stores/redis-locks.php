<?php

namespace PhpSessions;

/** Finds the locks among all keys of the server, or of all masters of a cluster. */
function addRedisLocks(Locks $locks, RedisSessionStore $store): void
{
    $progress = new Progress('looked through', $store->total());
    $prefix = preg_quote($store->scripts->settings['prefix'], '/');
    foreach ($store->scan("*{$store->pattern()}*_LOCK", 'string') as $names) {
        $commands = $ids = [];
        foreach ($names as $name) {
            // In braces on a cluster, and at an address that hides one.
            if (preg_match("/^(?:\\{{$prefix}(.+)\\}|$prefix(.+))_LOCK\$/Ds", $name, $found)) {
                $ids[$name] = $found[2] ?? $found[1];
                $waiting = substr($name, 0, -strlen('_LOCK')) . '_WAIT';
                $commands[$name] = [['GET', $name], ['PTTL', $name], ['ZCARD', $waiting], ['TIME']];
            }
        }
        foreach ($commands === [] ? [] : $store->servers->run($commands, mayBeForeign: true) as $name => [$text, $left, $waiting, $time]) {
            if (is_string($text) && $left !== -2) {
                $now = (int) $time[0] * 1000 + intdiv((int) $time[1], 1000);
                $locks->add((string) $ids[$name], $text, $now, $left < 0 ? null : $left / 1000, is_int($waiting) ? $waiting : 0);
            }
        }
        $progress->add(RedisSessionStore::STEP);
    }
    $progress->end();
}
