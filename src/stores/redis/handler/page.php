<?php

namespace PhpSessions;

/** Runs code of ours so that no error handler of the app is called in it, which might throw. */
function quietly(\Closure $step): mixed
{
    set_error_handler(static fn (): bool => true);
    try {
        return $step();
    } finally {
        restore_error_handler();
    }
}

/** Adds a line to PHP's log. */
function report(string $line): void
{
    if (\function_exists('error_log')) {
        error_log("php-sessions: $line");
    }
}

/** ini_get, which some hosters forbid; then as the ini files have it. */
function getIni(string $name): string
{
    return (string) (\function_exists('ini_get') ? ini_get($name) : get_cfg_var($name));
}

/** The process, where there can be another one with the same objects. */
function processId(): int
{
    return \function_exists('pcntl_fork') && \function_exists('getmypid') ? (int) getmypid() : 0;
}

/** Whether the page has ended for want of memory. */
function isOutOfMemory(): bool
{
    return str_starts_with(error_get_last()['message'] ?? '', 'Allowed memory size');
}

/** The session as PHP would write it now; null if it cannot be serialized, or if the app has taken `$_SESSION` away. */
function encodeSession(): ?string
{
    $isComplete = true;
    set_error_handler(static function () use (&$isComplete): bool {
        $isComplete = false;
        return true;
    });
    try {
        $data = session_encode();
        // PHP says false of an empty session, too.
        return match (true) {
            $data !== false => $data,
            $isComplete => '',
            default => null,
        };
    } catch (\Throwable) {
        return null;
    } finally {
        restore_error_handler();
    }
}

/** What phpredis' own handler has compressed, as PHP's session; other data as they are. */
function uncompress(#[\SensitiveParameter] string $data): string
{
    $methods = ['lzf' => 1, 'zstd' => 2, 'lz4' => 3];
    $method = $methods[getIni('redis.session.compression')] ?? 0;
    // Not compressed is what igbinary has serialized, and begins so.
    if ($method === 0 || $data === '' || str_starts_with($data, "\0\0\0")) {
        return $data;
    }
    $client = new \Redis();
    $client->setOption(\Redis::OPT_COMPRESSION, $method);
    try {
        return $client->_uncompress($data);
    } catch (\RedisException) {
        // This handler has written it.
        return $data;
    }
}

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
    quietly(fn () => answerInstead($status, $what));
    exit(1);
}

/** Sends this in place of the page, as far as that has not been sent. */
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
