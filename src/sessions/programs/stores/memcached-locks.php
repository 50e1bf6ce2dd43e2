<?php

namespace PhpSessions;

const LOOKS = 3;

/** Finds the locks among all keys of a Memcached. Its clock is not known. */
function addMemcachedLocks(Locks $locks, MemcachedSessionStore $store): void
{
    $begin = 'lock.';
    $found = [];
    $take = function (string $key, int $end) use (&$found): void {
        $found[$key] = $end;
    };
    // The earlier method omits items in use at that moment, such as a lock that others wait for.
    for ($look = 1; !$store->list($begin, $take) && $look < LOOKS; $look++);
    foreach (array_chunk($found, 500, true) as $ends) {
        $items = $store->items(array_keys($ends));
        foreach (array_keys($ends) as $i => $key) {
            if ($items[$i] !== null) {
                $line = new Line($items[$i][0]);
                $text = $line->isFree ? '@' : $line->holder();
                $left = $ends[$key] < 0 ? null : (float) max(0, $ends[$key] - time());
                $locks->add(substr($key, strlen($begin)), $text, (int) (microtime(true) * 1000), $left, count($line->waiting));
            }
        }
    }
}
