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

// Without these lines PHP looks for a function of the same name in this namespace first, anew in each request.
use function array_column, array_combine, array_filter, array_map, array_push, bin2hex, ceil, clearstatcache, count,
debug_backtrace, end, error_get_last, error_log, extension_loaded, fclose, file_get_contents, file_put_contents,
filemtime, fileowner, fileperms, fread, function_exists, fwrite, get_cfg_var, getmypid, hash, header,
header_register_callback, header_remove, headers_list, headers_sent, hexdec, hrtime, http_response_code, implode,
in_array, ini_get, ini_set, intdiv, is_array, is_int, is_readable, is_resource, is_string, is_writable, json_decode,
json_encode, max, memory_get_usage, microtime, ob_end_clean, ob_get_length, ob_get_level, ob_start,
opcache_invalidate, pfsockopen, preg_grep, preg_match, preg_quote, preg_replace, preg_replace_callback, random_bytes,
register_shutdown_function, restore_error_handler, serialize, session_abort, session_create_id, session_encode,
session_name, session_set_save_handler, session_start, session_status, set_error_handler, sha1, sprintf,
str_contains, str_ends_with, str_split, str_starts_with, stream_context_create, stream_get_meta_data, stream_select,
stream_set_blocking, stream_set_chunk_size, stream_socket_client, stream_socket_enable_crypto, strlen, strpos,
strtolower, substr, time, touch, uksort, unpack, usleep;

/** The store cannot be used. The message names the cause and holds no secret. */
final class StoreFailed extends \Exception
{
    /** The code where the store works, but too many requests wait for one session. */
    public const TOO_MANY = 1;
    /** The command has run, and there is no room for its answer. */
    public const TOO_LARGE = 2;
}

/** Text from a server for the log: nothing in it ends the line, controls a terminal, or reverses what follows. */
function printable(string $text): string
{
    $deceptive = '/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]/';
    return preg_replace_callback($deceptive, fn ($found) => '\x' . implode('\x', str_split(bin2hex($found[0]), 2)), $text);
}
