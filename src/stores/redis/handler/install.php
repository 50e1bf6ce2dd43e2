<?php

namespace PhpSessions;

/**
 * Installs the handler in place of the one that the ini names. Without phpredis PHP itself reports what is missing.
 *
 * Where it cannot be installed, because hosters forbid session_set_save_handler or because PHP refuses every handler of an app
 * while session.upload_progress.enabled is on (CVE-2026-115560), the start configures PHP's own handler. Where the start could
 * not know, that one goes on, but has no login.
 */
function install(): void
{
    if (!extension_loaded('redis') || !in_array(getIni('session.save_handler'), ['redis', 'rediscluster'], true)) {
        return;
    }
    // PHP has started a session before this file runs, or has tried to.
    $isStarted = getIni('session.auto_start');
    if (session_status() === PHP_SESSION_ACTIVE) {
        session_abort();
    }
    try {
        session_set_save_handler(new Handler((string) get_cfg_var('php_sessions.store')), false);
    } catch (\Error) {
    }
    if ($isStarted) {
        session_start();
    }
}

install();
if (get_cfg_var('php_sessions.auto_prepend_file') !== false) {
    require get_cfg_var('php_sessions.auto_prepend_file');
}
