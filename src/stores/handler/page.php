<?php

namespace PhpSessions;

use function array_map, header, header_register_callback, header_remove, headers_list, headers_sent,
http_response_code, ob_end_clean, ob_get_length, ob_get_level, ob_start, preg_grep, preg_quote, session_name;

/**
 * A buffer for the page while its session is open, where PHP's `output_buffering` is 0. Without one the headers are sent with
 * the first byte, and a session that cannot be written at the end would be a status 200. Its size is that of php.ini-production.
 */
final class Buffer
{
    private const BYTES = 4096;
    private static bool $isOurs = false;

    public static function begin(): void
    {
        if (PHP_SAPI !== 'cli' && ob_get_level() === 0 && !headers_sent()) {
            self::$isOurs = ob_start(null, self::BYTES);
        }
    }

    /** An app that closes its session to send its page in parts has sent nothing yet. */
    public static function end(): void
    {
        if (self::$isOurs && ob_get_level() === 1 && ob_get_length() === 0) {
            self::$isOurs = false;
            ob_end_clean();
        }
    }
}

/** Ends the request with status 503 or 429: a page without the session would treat the visitor as a stranger. */
function refuse(int $status = 503, string $what = 'Service temporarily unavailable'): never
{
    Warnings::quietly(fn () => answerInstead($status, $what));
    exit(1);
}

/** Sends this instead of the page, unless that has been sent. */
function answerInstead(int $status, string $what): void
{
    $isSent = PHP_SAPI === 'cli' || headers_sent();
    if (!$isSent) {
        // The headers belong to the page that is not sent: its type, how long caches may keep it, the cookie of the session.
        $kept = preg_grep('/^Set-Cookie: *+(?!' . preg_quote(session_name(), '/') . '=)/i', headers_list());
        header_register_callback(static fn () => null);
        header_remove();
        http_response_code($status);
        header('Retry-After: 5');
        header('Cache-Control: no-store');
        header('Content-Type: text/plain; charset=utf-8');
        array_map(fn (string $cookie) => header($cookie, false), $kept);
    }
    while (ob_get_level() > 0 && ob_end_clean()) {
    }
    if (!$isSent) {
        echo "$what. Please try again in a few seconds.\n";
    }
}
