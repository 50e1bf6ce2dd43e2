<?php

namespace PhpSessions;

use function is_array;

/**
 * Whether requests that only wait keep others from this php-fpm pool: no worker is idle, and requests queue in front of it. A
 * pool that can still grow is not full. php-fpm does not know the queue of a Unix socket.
 */
function isPoolFull(): bool
{
    $pool = \function_exists('fpm_get_status') ? fpm_get_status() : false;
    if (!is_array($pool) || $pool['idle-processes'] > 0) {
        return false;
    }
    $isQueueKnown = $pool['listen-queue-len'] > 0;
    return ($pool['listen-queue'] > 0 || !$isQueueKnown)
        && ($pool['process-manager'] === 'static' || $pool['max-children-reached'] > 0);
}
