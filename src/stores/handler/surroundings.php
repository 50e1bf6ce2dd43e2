<?php

namespace PhpSessions;

use function bin2hex, debug_backtrace, end, error_get_last, error_log, fileowner, fileperms, get_cfg_var, getmypid,
implode, in_array, ini_get, intdiv, is_readable, memory_get_usage, preg_replace_callback, restore_error_handler,
session_encode, set_error_handler, sprintf, str_split, str_starts_with, strpos, strtolower, substr;

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

/** A third of the remaining memory, because received data are copied and decoded. */
function roomBytes(): int
{
    $limit = getIni('memory_limit');
    $bytes = (int) $limit * 1024 ** (int) strpos(' kmg', strtolower(substr(" $limit", -1)));
    return $bytes <= 0 ? PHP_INT_MAX : intdiv((int) $bytes - memory_get_usage(), 3);
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

/** Whether PHP itself has called the handler, at its very end: the page has been sent, and to exit would be a warning in it. */
function isCalledLast(): bool
{
    $calls = debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS);
    $first = end($calls);
    return ($first['class'] ?? '') === Handler::class && in_array($first['function'], ['write', 'close'], true);
}

/** Text from a server for the log: nothing in it ends the line, controls a terminal, or reverses what follows. */
function printable(string $text): string
{
    $deceptive = '/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]/';
    return preg_replace_callback($deceptive, fn ($found) => '\x' . implode('\x', str_split(bin2hex($found[0]), 2)), $text);
}

/** What keeps this process from reading a file, as far as it can see. */
function whyUnreadable(string $file): string
{
    $area = getIni('open_basedir');
    $owner = @fileowner($file);
    $user = \function_exists('posix_geteuid') ? posix_geteuid() : @fileowner('/proc/self');
    $here = $user === false ? '' : ", and PHP runs as user $user";
    return match (true) {
        is_readable($file) => '',
        $owner !== false => sprintf(' (it belongs to user %d, mode %04o%s)', $owner, @fileperms($file) & 07777, $here),
        $area !== '' => " (open_basedir is $area$here)",
        default => " (PHP does not find it$here)",
    };
}
