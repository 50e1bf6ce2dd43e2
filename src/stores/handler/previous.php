<?php

namespace PhpSessions;

use function dirname, get_cfg_var;

/** A session that the bound store does not have is looked for in the previous one. */
function withPrevious(LockedSession $bound): LockedSession
{
    $file = (string) get_cfg_var('php_sessions.previous');
    return new MovedSession($bound, openPrevious($file), new Outage(dirname($file) . '/php-sessions-previous-outage'));
}
