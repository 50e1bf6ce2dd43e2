<?php

namespace PhpSessions;

use function is_array, random_int, usleep;

/**
 * Whether requests that only wait keep others from this php-fpm pool: no worker is idle, and requests queue in front of it. A
 * pool that can still grow is not full. php-fpm does not know the queue of a Unix socket.
 *
 * Before PHP 8.3.27 and 8.4.14 nobody is asked: fpm_get_status crashes where a worker is just starting (php-src GH-19974).
 */
function isPoolFull(int $version = PHP_VERSION_ID): bool
{
    $isSafe = $version >= 80414 || ($version >= 80327 && $version < 80400);
    $pool = $isSafe && \function_exists('fpm_get_status') ? fpm_get_status() : false;
    if (!is_array($pool) || $pool['idle-processes'] > 0) {
        return false;
    }
    $isQueueKnown = $pool['listen-queue-len'] > 0;
    return ($pool['listen-queue'] > 0 || !$isQueueKnown)
        && ($pool['process-manager'] === 'static' || $pool['max-children-reached'] > 0);
}

/** The same a moment later. Waiting requests ask at different moments: when one of them leaves, others may stay. */
function isPoolStillFull(): bool
{
    usleep(random_int(0, 300_000));
    return isPoolFull();
}

/** The end of a request that makes room for other visitors. */
function refusedForRoom(?Wait $wait): StoreFailed
{
    $why = 'all workers of php-fpm are busy, and others wait for this session, too';
    return Wait::over($wait, "$why: this one makes room for other visitors", StoreFailed::TOO_MANY);
}
