<?php
/*
 * The managed session handler of php-sessions: keeps PHP's sessions in Redis or Valkey, on one server, behind Sentinels
 * or on a cluster.
 *
 * PHP runs this file before each page (auto_prepend_file). A request runs two scripts, which are its two round trips:
 * the first takes the lock and reads the session, the second writes the session and releases the lock. A request that
 * has to wait blocks in BLPOP; the request that releases the lock wakes it. Keys and data have the same names and bytes
 * as with phpredis' own handlers. docs/internals/managed-handler-protocol.md describes the protocol.
 */

namespace PhpSessions;

/** The store cannot be used. The message names the cause and holds no secret. */
final class StoreFailed extends \Exception
{
    /** The code where the store works, but too many requests wait for one session. */
    public const TOO_MANY = 1;
}

/** Text from a server for the log: nothing in it ends the line, controls a terminal, or reverses what follows. */
function printable(string $text): string
{
    $deceptive = '/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]/';
    return preg_replace_callback($deceptive, fn ($found) => '\x' . implode('\x', str_split(bin2hex($found[0]), 2)), $text);
}
