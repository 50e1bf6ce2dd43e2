<?php

namespace PhpSessions;

use function get_cfg_var;

/** The sessions of the app. */
function openSessions(): Places
{
    return openRedisSessions((string) get_cfg_var('php_sessions.store'));
}

install(openSessions(), 'redis', 'redis', 'rediscluster');
