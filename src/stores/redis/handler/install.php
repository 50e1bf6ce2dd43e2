<?php

namespace PhpSessions;

/**
 * Installs the handler in place of the one that the ini names. Without phpredis PHP itself reports what is missing.
 *
 * PHP's own handler goes on where this one cannot be installed: where hosters forbid a function that it needs, and where PHP
 * refuses every handler of an app while session.upload_progress.enabled is on (CVE-2026-115560).
 */
function install(): void
{
    if (!extension_loaded('redis') || !in_array(getIni('session.save_handler'), ['redis', 'rediscluster'], true)) {
        return;
    }
    // PHP has started a session before this file runs, or has tried to; or the start has left that to this file.
    $isStarted = getIni('session.auto_start') || get_cfg_var('php_sessions.auto_start');
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
