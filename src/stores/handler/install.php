<?php

namespace PhpSessions;

use function extension_loaded, get_cfg_var, in_array, session_abort, session_set_save_handler, session_start, session_status;

/**
 * Installs the handler in place of the one that the ini names. Without the store's extension PHP itself reports what is missing.
 *
 * Where it cannot be installed, because hosters forbid session_set_save_handler or because PHP refuses every handler
 * of an app while session.upload_progress.enabled is on (CVE-2026-115560), the start configures PHP's own handler. If
 * the start could not know, PHP's own handler continues, but has no login.
 */
function install(LockedSession $session, string $extension, string ...$replaced): void
{
    if (!extension_loaded($extension) || !in_array(getIni('session.save_handler'), $replaced, true)) {
        return;
    }
    // PHP has started a session before this file runs, or has tried to.
    $isStarted = getIni('session.auto_start');
    if (session_status() === PHP_SESSION_ACTIVE) {
        session_abort();
    }
    try {
        $handled = \function_exists('PhpSessions\withPrevious') ? withPrevious($session) : $session;
        $measured = get_cfg_var('php_sessions.timing') ? new TimedSession($handled) : $handled;
        session_set_save_handler(new Handler($measured), false);
    } catch (\Error) {
    }
    if ($isStarted) {
        session_start();
    }
}
