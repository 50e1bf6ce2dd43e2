<?php

namespace PhpSessions;

use function dirname, get_cfg_var;

/** A session that the bound store does not have is looked for in the previous one. */
function withPrevious(LockedSession $bound): LockedSession
{
    return new MovedSession($bound, previousSession(), new Outage(dirname(previousFile()) . '/php-sessions-previous-outage'));
}

function previousSession(): LockedSession
{
    return openPrevious(previousFile());
}

function previousFile(): string
{
    return (string) get_cfg_var('php_sessions.previous');
}
