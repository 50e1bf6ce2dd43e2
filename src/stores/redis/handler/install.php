<?php

namespace PhpSessions;

/** Ends the request: better no page than one that takes the visitor for a stranger. */
function unavailable(): never
{
    while (ob_get_level() > 0 && ob_end_clean()) {
    }
    if (PHP_SAPI !== 'cli' && !headers_sent()) {
        // What the page was to be, how long caches may keep it, and the id of a session that there is not.
        $kept = preg_grep('/^Set-Cookie: *+(?!' . preg_quote(session_name(), '/') . '=)/i', headers_list());
        header_remove();
        http_response_code(503);
        header('Retry-After: 5');
        header('Cache-Control: no-store');
        header('Content-Type: text/plain; charset=utf-8');
        array_map(fn (string $cookie) => header($cookie, false), $kept);
        echo "Service temporarily unavailable. Please try again in a few seconds.\n";
    }
    exit(1);
}

/** Takes the place of the handler that the ini names, unless phpredis is missing: then PHP says so itself. */
function install(): void
{
    if (!extension_loaded('redis') || !in_array(ini_get('session.save_handler'), ['redis', 'rediscluster'], true)) {
        return;
    }
    $isActive = session_status() === PHP_SESSION_ACTIVE;
    if ($isActive) {
        // session.auto_start was quicker.
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
