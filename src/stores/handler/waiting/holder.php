<?php

namespace PhpSessions;

use function array_fill, array_slice, basename, get_included_files, getenv, gethostname, getmypid, preg_match, preg_replace, session_id, str_replace,
strstr, strtr, substr;

/**
 * What a lock says of the request that holds it, for those who wait: `|INSTANCE|PROCESS|METHOD|/path`, without blanks, after
 * the milliseconds since 1970 at which it got the lock.
 */
final class Holder
{
    private const INSTANCE_BYTES = 64;
    private const PATH_BYTES = 120;
    /** Parts of a path that are not words or short numbers: they may be a token, a session id, somebody's address. */
    private const WORD = '(?:[A-Za-z]{1,20}\d{0,3}|\d{1,9})';
    private const NOT_WORDS = '~(?<![^/|])(?!' . self::WORD . '(?:[._-]' . self::WORD . ')*+(?:[/|;]|$))[^/|;]+|;[^/|]*~D';

    /** This request, which wants the session with this id, or, with encryption, with this name. */
    public static function own(#[\SensitiveParameter] string $id): string
    {
        $index = self::variable('CF_INSTANCE_INDEX');
        $instance = $index !== '' || !\function_exists('gethostname') ? $index : (string) gethostname();
        $process = \function_exists('getmypid') ? (int) getmypid() : 0;
        $method = self::variable('REQUEST_METHOD') ?: PHP_SAPI;
        $uri = self::variable('REQUEST_URI') ?: '/' . basename(get_included_files()[0] ?? '');
        $name = str_replace([$id, (string) session_id()], '*', preg_replace(self::NOT_WORDS, '*', $method . '|' . (strstr($uri, '?', true) ?: $uri)) ?? '*');
        return '|' . strtr(substr($instance, 0, self::INSTANCE_BYTES), ' |', '__') . "|$process|" . substr($name, 0, self::PATH_BYTES);
    }

    /** Of the server or the process. `$_SERVER` would be made for each page that does not use it. */
    private static function variable(string $name): string
    {
        $value = \function_exists('getenv') ? getenv($name) : false;
        return (string) ($value === false ? $GLOBALS['_SERVER'][$name] ?? '' : $value);
    }

    /**
     * What a lock, or a request of itself, says: who, and since when, in milliseconds; null where it does not.
     * `handler` is `managed`, `native` for PHP's own, `next` being passed to a waiting request, or `unknown`.
     */
    public static function read(string $text): array
    {
        $handler = match (true) {
            preg_match('/(?:^|[ !])(\d{13})?\|([^ |]*)\|(\d+)\|([^ |]*)\|?([^ ]*)/', $text, $found) === 1 => 'managed',
            preg_match('/^()([\w.-]+)\|(\d+)$/D', $text, $found) === 1, $text === '1' => 'native',
            $text === '@' => 'next',
            default => 'unknown',
        };
        [$since, $instance, $process, $method, $path] = array_slice($found, 1) + array_fill(0, 5, '');
        return [
            'handler' => $handler,
            'since' => $since === '' ? null : (int) $since,
            'instance' => $instance === '' ? null : $instance,
            'process' => $process === '' ? null : (int) $process,
            'method' => $method === '' ? null : $method,
            'path' => $path === '' ? null : $path,
        ];
    }
}
