<?php

namespace PhpSessions;

/** Installs the handler in place of the one that the ini names. Without phpredis PHP itself reports what is missing. */
function install(): void
{
    if (!extension_loaded('redis') || !in_array(ini_get('session.save_handler'), ['redis', 'rediscluster'], true)) {
        return;
    }
    // session.auto_start has started a session before this file runs.
    $isActive = session_status() === PHP_SESSION_ACTIVE;
    if ($isActive) {
        session_abort();
    }
    session_set_save_handler(new Handler((string) get_cfg_var('php_sessions.store')), true);
    if ($isActive) {
        session_start();
    }
}

install();
if (get_cfg_var('php_sessions.auto_prepend_file') !== false) {
    require get_cfg_var('php_sessions.auto_prepend_file');
}
