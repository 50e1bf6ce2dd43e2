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

use function array_column, array_combine, array_diff, array_filter, array_keys, array_map, array_push, bin2hex, ceil, clearstatcache, count, debug_backtrace, end, error_get_last, error_log, extension_loaded, fclose, file_get_contents, file_put_contents, filemtime, fileowner, fileperms, fread, function_exists, fwrite, get_cfg_var, getmypid, hash, header, header_register_callback, header_remove, headers_list, headers_sent, hexdec, hrtime, http_response_code, implode, in_array, ini_get, ini_set, intdiv, is_array, is_int, is_readable, is_resource, is_string, is_writable, json_decode, json_encode, max, memory_get_usage, microtime, ob_end_clean, ob_get_length, ob_get_level, ob_start, opcache_invalidate, pfsockopen, preg_grep, preg_match, preg_quote, preg_replace, preg_replace_callback, random_bytes, register_shutdown_function, restore_error_handler, serialize, session_abort, session_create_id, session_encode, session_name, session_set_save_handler, session_start, session_status, set_error_handler, sha1, sprintf, str_contains, str_ends_with, str_split, str_starts_with, stream_context_create, stream_get_meta_data, stream_select, stream_set_blocking, stream_set_chunk_size, stream_socket_client, stream_socket_enable_crypto, strlen, strpos, strtolower, substr, time, touch, uksort, unpack, usleep;

/** The store cannot be used. The message names the cause and holds no secret. */
final class StoreFailed extends \Exception
{
    /** The code where the store works, but too many requests wait for one session. */
    public const TOO_MANY = 1;
    /** The command has run, and there is no room for its answer. */
    public const TOO_LARGE = 2;
}

/** A server cannot be reached, refuses, or answers something else. The message names the cause and holds no secret. */
final class ServerFailed extends \Exception
{
    /** The server refused the command, and the connection is sound. */
    public const REFUSED = 0;
    /** The connection failed, and the command may have run. */
    public const LOST = 1;
    /** The command did not leave whole, so it cannot have run. */
    public const UNSENT = 2;
    /** The command has run, and there is no room for its answer. */
    public const TOO_LARGE = 3;
}

/** Keeps PHP's warnings from the page and from the app's error handler, which might throw; `@` does not. */
final class Warnings
{
    /** The first one of the current step. */
    public static string $first = '';

    public static function quietly(\Closure $step): mixed
    {
        self::begin();
        try {
            return $step();
        } finally {
            restore_error_handler();
        }
    }

    /** From here on; restore_error_handler ends it. */
    public static function begin(): void
    {
        self::$first = '';
        set_error_handler([self::class, 'keep']);
    }

    public static function keep(int $level, string $message): bool
    {
        if (self::$first === '') {
            // The second line of a failed handshake has the cause.
            self::$first = preg_replace(['/^.*?\(\): /', '/\s+/'], ['', ' '], $message);
        }
        return true;
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

/** The file with a store's settings, which the start has written, and which is replaced when the binding changes. */
final class Settings
{
    public array $values = [];
    private bool $isReread = false;

    /** A file by an earlier version of php-sessions, which is about to be replaced, has not all these settings. */
    public function __construct(private readonly string $file, private readonly array $needed)
    {
    }

    public function read(): array
    {
        // opcache may be set never to check whether a file has changed, or only after a while.
        $before = [];
        foreach (['opcache.validate_timestamps' => '1', 'opcache.revalidate_freq' => '0'] as $name => $value) {
            if (!in_array(getIni($name), [$value, ''], true) && \function_exists('ini_set')) {
                $before[$name] = ini_set($name, $value);
            }
        }
        $values = include $this->file;
        foreach ($before as $name => $value) {
            ini_set($name, (string) $value);
        }
        if (!is_array($values) || array_diff($this->needed, array_keys($values)) !== []) {
            throw new StoreFailed("{$this->file} cannot be read" . whyUnreadable($this->file) . ': restart the app, or run php-sessions doctor');
        }
        return $this->values = $values;
    }

    /** Whether the file has new settings. It may have been replaced within the second in which it was read. */
    public function isNew(): bool
    {
        if ($this->isReread) {
            return false;
        }
        $this->isReread = true;
        if (function_exists('opcache_invalidate')) {
            Warnings::quietly(fn (): bool => opcache_invalidate($this->file, true));
        }
        clearstatcache(true, $this->file);
        $before = $this->values;
        return $this->read() !== $before;
    }
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

/** The options of PHP's streams for TLS to a host; null where several hosts share them. The certificates are in files. */
function tlsOptions(?string $host, ?string $ca, ?string $clientCertificate): array
{
    return ['verify_peer' => true] + array_filter([
        'cafile' => $ca,
        'local_cert' => $clientCertificate,
        // PHP would look in the certificate for an IPv6 address with its brackets.
        'peer_name' => str_contains((string) $host, ':') ? $host : null,
        'crypto_method' => hangsInTls13() ? STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT : null,
    ]);
}

/** Whether a PHP waits for ever where a server's TLS 1.3 tickets come before its first answer (php-src GH-10495). */
function hangsInTls13(int $versionId = PHP_VERSION_ID): bool
{
    return $versionId < 80219 || ($versionId >= 80300 && $versionId < 80307);
}

/** The name of a server in messages. */
function serverName(array $server): string
{
    ['host' => $host, 'port' => $port] = $server;
    return match (true) {
        str_starts_with($host, '/') => $host,
        str_contains($host, ':') => "[$host]:$port",
        default => "$host:$port",
    };
}

/**
 * Carries bytes to one server and back, over a connection that stays open from request to request.
 *
 * It connects, waits and bounds; another class speaks the protocol. Streams are used only when they are ready, so nothing
 * lasts beyond the deadline, whatever the server does; only PHP's look-up of a host name has no limit. Call it within
 * `Warnings::quietly`.
 */
final class Transport
{
    /**
     * The chunk size of a stream in use, plus the note. It is all that PHP keeps with a stream for the next request, and
     * setting it costs no system call. A request that dies leaves the size of a stream in use; a new stream has 8192.
     * Much larger chunks make a page slower.
     */
    private const IN_USE = 8193;
    private const LINE_BYTES = 8192;
    /** What is received without a look at memory_limit. */
    private const FREE_BYTES = 1 << 20;

    /** Kept with the connection: 0 until the login is done. The protocol decides about other values. */
    public int $note = 0;
    /** @var ?resource */
    private $stream = null;
    private string $received = '';
    private int $parsed = 0;
    private float $seconds = 0;
    private int $deadline = 0;
    private int $limitBytes = self::FREE_BYTES;
    private bool $isSent = false;

    /** Only connections with the same identity are shared by requests; `$tls` are PHP's options, null without TLS. */
    public function __construct(
        private readonly array $server,
        private readonly ?array $tls,
        private readonly string $identity,
    ) {
    }

    public function isOpen(): bool
    {
        return is_resource($this->stream);
    }

    /** Takes up the connection that an earlier request has kept, or opens a new one, whose note is 0. */
    public function open(float $seconds): void
    {
        $this->begin($seconds);
        do {
            $this->stream = $this->connect($seconds);
            $size = stream_set_chunk_size($this->stream, self::IN_USE);
            // An answer for an earlier request may be on its way.
            $isAbandoned = $size === self::IN_USE;
        } while ($isAbandoned && fclose($this->stream));
        $this->note = max(0, $size - self::IN_USE);
        if ($this->note === 0) {
            stream_set_blocking($this->stream, false);
            $this->tls === null || $this->shakeHands();
        }
    }

    /** @return resource */
    private function connect(float $seconds)
    {
        ['host' => $host, 'port' => $port] = $this->server;
        $isPath = str_starts_with($host, '/');
        $address = $isPath ? "unix://$host" : 'tcp://' . (str_contains($host, ':') ? "[$host]" : $host) . ":$port/{$this->identity}";
        // PHP keeps connections by their address. That of a socket file has no room for more; a negative port is ignored.
        $stream = $isPath
            ? pfsockopen($address, -hexdec(substr($this->identity, 0, 15)), $code, $why, $seconds)
            : stream_socket_client(
                $address,
                $code,
                $why,
                $seconds,
                STREAM_CLIENT_CONNECT | STREAM_CLIENT_PERSISTENT,
                stream_context_create(['socket' => ['tcp_nodelay' => true]] + ($this->tls === null ? [] : ['ssl' => $this->tls])),
            );
        return is_resource($stream) ? $stream : throw new ServerFailed($why ?: 'no connection', ServerFailed::UNSENT);
    }

    private function shakeHands(): void
    {
        $method = $this->tls['crypto_method'] ?? STREAM_CRYPTO_METHOD_TLS_CLIENT;
        while (($isDone = stream_socket_enable_crypto($this->stream, true, $method)) !== true) {
            if ($isDone === false) {
                $this->fail(Warnings::$first ?: 'SSL: the server closed the connection during the handshake');
            }
            $this->await('SSL: no handshake for');
        }
    }

    /** Begins an exchange, with so many seconds for all of it; null leaves the deadline as it is. */
    public function begin(?float $seconds): void
    {
        if ($seconds !== null) {
            $this->seconds = $seconds;
            $this->deadline = hrtime(true) + (int) ($seconds * 1e9);
        }
        $this->received = '';
        $this->parsed = 0;
        $this->limitBytes = self::FREE_BYTES;
        $this->isSent = false;
        if ($this->note > 0) {
            stream_set_chunk_size($this->stream, self::IN_USE);
        }
    }

    public function write(string $bytes): void
    {
        $count = fwrite($this->stream, $bytes);
        for ($rest = $bytes; $count !== strlen($rest); $count = fwrite($this->stream, $rest)) {
            if (!$count && (Warnings::$first !== '' || $this->hasEnded())) {
                $this->fail(Warnings::$first ?: 'the server closed the connection');
            }
            $rest = substr($rest, (int) $count);
            $this->await('takes no more bytes for', isForWriting: true);
        }
        $this->isSent = true;
    }

    /** The next line, without its end. */
    public function line(): string
    {
        while (($end = strpos($this->received, "\r\n", $this->parsed)) === false) {
            if (strlen($this->received) - $this->parsed > self::LINE_BYTES) {
                $this->fail('the answer has a line without an end');
            }
            $this->receive();
        }
        $line = substr($this->received, $this->parsed, $end - $this->parsed);
        $this->parsed = $end + 2;
        return $line;
    }

    /** So many bytes. */
    public function bytes(int $count): string
    {
        while (strlen($this->received) - $this->parsed < $count) {
            $this->receive();
        }
        $bytes = substr($this->received, $this->parsed, $count);
        $this->parsed += $count;
        return $bytes;
    }

    /** Ends an exchange: later ones may use the connection. */
    public function end(): void
    {
        if ($this->parsed !== strlen($this->received)) {
            $this->fail('the answer is longer than one');
        }
        $this->received = '';
        stream_set_chunk_size($this->stream, self::IN_USE + $this->note);
    }

    /** Closes the connection and throws. */
    public function fail(string $why): never
    {
        $this->close();
        throw new ServerFailed($why, $this->isSent ? ServerFailed::LOST : ServerFailed::UNSENT);
    }

    public function close(): void
    {
        if ($this->isOpen()) {
            fclose($this->stream);
        }
        $this->stream = null;
        $this->received = '';
        $this->note = 0;
    }

    private function receive(): void
    {
        do {
            $this->await('no answer for');
            $chunk = (string) fread($this->stream, self::IN_USE);
            if ($chunk === '' && $this->hasEnded()) {
                $this->fail('the server closed the connection');
            }
        } while ($chunk === '');
        $this->received .= $chunk;
        if (strlen($this->received) > $this->limitBytes) {
            $this->limitBytes = max(self::FREE_BYTES, self::roomBytes());
            if (strlen($this->received) > $this->limitBytes) {
                $this->close();
                throw new ServerFailed('the answer is larger than memory_limit has room for', ServerFailed::TOO_LARGE);
            }
        }
    }

    /** Waits until the stream is ready, or throws at the deadline. */
    private function await(string $why, bool $isForWriting = false): void
    {
        $left = intdiv($this->deadline - hrtime(true), 1000);
        if ($left <= 0) {
            $this->fail("$why {$this->seconds} seconds");
        }
        $read = $isForWriting ? null : [$this->stream];
        $write = $isForWriting ? [$this->stream] : null;
        $except = null;
        if (stream_select($read, $write, $except, intdiv($left, 1_000_000), $left % 1_000_000) === false) {
            // A signal, or a process with more than 1024 open files.
            Warnings::$first = '';
            usleep(1000);
        }
    }

    /** Not feof, which may wait. */
    private function hasEnded(): bool
    {
        return stream_get_meta_data($this->stream)['eof'];
    }

    /** A third of the memory that is left: what is received is copied, and decoded. */
    private static function roomBytes(): int
    {
        $limit = getIni('memory_limit');
        $bytes = (int) $limit * 1024 ** (int) strpos(' kmg', strtolower(substr(" $limit", -1)));
        return $bytes <= 0 ? PHP_INT_MAX : intdiv((int) $bytes - memory_get_usage(), 3);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/**
 * One session of a store. This request has it from `take`, which locks it, to `release`. What cannot be done is a StoreFailed.
 *
 * Nothing is read or connected before the first `take`.
 */
interface LockedSession
{
    /** Whether the store can keep a session with this id, which does not reach another key. */
    public function accepts(#[\SensitiveParameter] string $id): bool;

    /** Waits for the lock and reads the session. Returns false, without the lock, where it must exist and does not. */
    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false): bool;

    /** The session as it was read, or set since; false where there is none. */
    public function data(): string|false;

    /** Whether this request has the lock. */
    public function holds(): bool;

    /**
     * Releases the lock, in the same step with what becomes of the session: `set` writes these data, `touch` makes the data that
     * were read live longer, `delete`, `keep` makes an empty session where there is none, `nothing`. Without the lock it does
     * nothing.
     */
    public function release(string $what, #[\SensitiveParameter] string $data = ''): void;

    /** Lets go without a command: after a failure, or in a child whose parent has the lock and the connection. */
    public function forget(): void;

    /** Releases the lock after a fatal error inside a step: the lock may be taken, and a reply be unread. */
    public function recover(): void;

    /** What a page gets that has no session: `stop` for status 503, `empty` for an empty session. */
    public function onStoreError(): string;
}

/** Speaks RESP 2, the protocol of Redis and Valkey. An answer that is not RESP closes the connection. */
final class Resp
{
    /** Those of CLUSTER SLOTS: the ranges, a range, a node, and what else is known of it. */
    private const DEPTH = 4;
    private const ELEMENTS = 1_000_000;

    private int $elements = 0;

    public function __construct(public readonly Transport $transport, private readonly float $seconds)
    {
    }

    /** Sends a command and returns the answer, which has so many seconds; throws what the server refuses. */
    public function ask(#[\SensitiveParameter] array $words, ?float $seconds = null): mixed
    {
        return $this->exchange($words, $seconds ?? $this->seconds);
    }

    /** The same within the time that is left for connecting. */
    public function askAtOnce(#[\SensitiveParameter] array $words): mixed
    {
        return $this->exchange($words, null);
    }

    /**
     * Runs a script, given with its hash; one that the server does not know, after a restart for example, is sent whole. The
     * answer must begin with the token, so that the answer to another command is never taken for its own.
     */
    public function run(array $script, array $keys, string $token, #[\SensitiveParameter] array $arguments): array
    {
        [$hash, $lua] = $script;
        $rest = [count($keys), ...$keys, $token, ...$arguments];
        try {
            $answer = $this->exchange(['EVALSHA', $hash, ...$rest], $this->seconds, "\$16\r\n$token\r\n:1\r\n");
        } catch (ServerFailed $failure) {
            if (!str_starts_with($failure->getMessage(), 'NOSCRIPT')) {
                throw $failure;
            }
            $answer = $this->ask(['EVAL', $lua, ...$rest]);
        }
        return is_array($answer) && ($answer[0] ?? null) === $token && is_int($answer[1] ?? null)
            ? $answer
            : throw new ServerFailed('the reply belongs to another command', ServerFailed::LOST);
    }

    /** `$done` is what a script's answer mostly begins with: then the rest is at most one text, and needs no parser. */
    private function exchange(#[\SensitiveParameter] array $words, ?float $seconds, string $done = ''): mixed
    {
        $command = '*' . count($words) . "\r\n";
        foreach ($words as $word) {
            $command .= '$' . strlen((string) $word) . "\r\n$word\r\n";
        }
        $this->transport->begin($seconds);
        $this->transport->write($command);
        $line = $this->transport->line();
        if (($line[0] ?? '') === '-') {
            $this->transport->end();
            throw new ServerFailed(substr($line, 1), ServerFailed::REFUSED);
        }
        $this->elements = 0;
        $value = $this->value($line, self::DEPTH);
        $this->transport->end();
        return $value;
    }

    private function value(string $line, int $depth): mixed
    {
        $text = substr($line, 1);
        return match ($line[0] ?? '') {
            '+' => $text,
            ':' => $this->number($text),
            '$' => $this->bulk($this->number($text)),
            '*' => $this->values($this->number($text), $depth),
            default => $this->transport->fail('the answer is not RESP'),
        };
    }

    private function bulk(int $length): ?string
    {
        if ($length === -1) {
            return null;
        }
        $bytes = $length < 0 || $length > PHP_INT_MAX - 2 ? '' : $this->transport->bytes($length + 2);
        return str_ends_with($bytes, "\r\n")
            ? substr($bytes, 0, -2)
            : $this->transport->fail('the answer has another length than it says');
    }

    private function values(int $count, int $depth): ?array
    {
        if ($count === -1) {
            return null;
        }
        $this->elements += $count;
        if ($count < 0 || $depth === 0 || $this->elements > self::ELEMENTS) {
            $this->transport->fail('the answer is larger than any that was asked for');
        }
        $values = [];
        while ($count-- > 0) {
            $values[] = $this->value($this->transport->line(), $depth - 1);
        }
        return $values;
    }

    private function number(string $text): int
    {
        $number = (int) $text;
        return (string) $number === $text ? $number : $this->transport->fail('the answer is not RESP');
    }
}

/** The connection to one server. It stays open from request to request, and only this handler uses it. */
final class Connection
{
    /** What servers reply to a client that must log in first. */
    private const MUST_LOG_IN = '/^NOAUTH|unauthenticated|[Aa]uthentication required|user executing the script/';
    /** What servers without a password reply to one. */
    private const NO_PASSWORD = '/no password is set|without any password configured/';

    private readonly Transport $transport;
    private readonly Resp $server;

    /** `$access` says how to log in and whether to use TLS; `$seconds` limit connecting with the login, and each answer. */
    public function __construct(
        array $server,
        #[\SensitiveParameter] private readonly array $access,
        private readonly array $seconds,
    ) {
        ['tls' => $isTls, 'ca' => $ca, 'clientCertificate' => $certificate] = $access;
        $tls = $isTls ? tlsOptions($server['host'], $ca, $certificate) : null;
        // A child that forks shares its parent's connections, and must not speak on them.
        $identity = [$access['user'], $access['password'], $access['database'], $tls, processId()];
        $this->transport = new Transport($server, $tls, hash('xxh128', serialize($identity)));
        $this->server = new Resp($this->transport, $seconds[1]);
    }

    /**
     * Runs commands. Where the server has given up a connection that was kept, and the first command cannot have run,
     * they are run once more on a new connection. Call it within `Warnings::quietly`.
     */
    public function run(\Closure $commands, mixed ...$arguments): mixed
    {
        Warnings::$first = '';
        while (true) {
            $isKept = $this->transport->isOpen() || $this->open();
            try {
                return $commands($this->server, ...$arguments);
            } catch (ServerFailed $failure) {
                $isStale = $this->mustLogIn($failure) || $failure->getCode() === ServerFailed::UNSENT;
                if ($isStale || $failure->getCode() === ServerFailed::LOST) {
                    $this->transport->close();
                }
                if (!$isStale || !$isKept) {
                    throw $this->explained($failure);
                }
            }
        }
    }

    public function close(): void
    {
        $this->transport->close();
    }

    /** Opens the connection. Returns whether an earlier request has opened it, and logged in. */
    private function open(): bool
    {
        $this->transport->open($this->seconds[0]);
        if ($this->transport->note > 0) {
            return true;
        }
        try {
            $this->logIn();
        } catch (ServerFailed $failure) {
            $this->transport->close();
            throw $this->explained($failure);
        }
        $this->transport->note = 1;
        return false;
    }

    private function logIn(): void
    {
        ['user' => $user, 'password' => $password, 'database' => $database] = $this->access;
        if ($password !== null) {
            try {
                $this->server->askAtOnce(['AUTH', ...($user === null ? [] : [$user]), $password]);
            } catch (ServerFailed $failure) {
                if (!preg_match(self::NO_PASSWORD, $failure->getMessage())) {
                    throw $failure;
                }
            }
        }
        if ($database > 0) {
            $this->server->askAtOnce(['SELECT', $database]);
        }
    }

    private function mustLogIn(ServerFailed $failure): bool
    {
        return $failure->getCode() === ServerFailed::REFUSED && preg_match(self::MUST_LOG_IN, $failure->getMessage()) === 1;
    }

    /** The server's message without what Redis adds for scripts, before 7 also in front, and with advice where it helps. */
    private function explained(ServerFailed $failure): ServerFailed
    {
        $why = preg_replace('/^ERR Error running script.*?: -?(?=[A-Z]{3,} )/', '', $failure->getMessage());
        $why = preg_replace('/,? (script: [0-9a-f]{40}|with args beginning with:).*/', '', $why);
        $advice = match (1) {
            preg_match('/^NOPERM|user executing the script/', $why) => '; see php-sessions explain --acl',
            preg_match('/^ERR unknown command .eval/i', $why) => ': this handler needs scripts, PHP_SESSIONS_HANDLER=native does not',
            default => '',
        };
        $isShutOut = $this->access['password'] === null && !str_starts_with($why, 'NOPERM') && $this->mustLogIn($failure);
        return new ServerFailed(
            $isShutOut ? 'NOAUTH the server asks for a password, and the binding has none' : $why . $advice,
            $failure->getCode(),
        );
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/**
 * Which server has a key: the only one, the master that the Sentinels name, or the node of the cluster with its slot.
 *
 * What one worker has found out is kept in a file for all of them. That file exists from the start, and only those who
 * know the password may write it: it decides where the password is sent.
 */
final class ServerMap
{
    /** How long a Sentinel's answer may be reused. A master being replaced may accept writes for another ten seconds. */
    public const FRESH_SECONDS = 1;

    /** The name of the server that was given last; empty at first. */
    public string $last = '';
    /** The master or the slots, and the server that has named them, as found by this worker or another one. */
    private ?array $map = null;
    private float $checkedAt = 0;
    /** @var array<string, int> by keys */
    private array $slots = [];

    public function __construct(#[\SensitiveParameter] private readonly array $settings)
    {
    }

    /** The server for a key. A search for it ends at the deadline. */
    public function serverFor(#[\SensitiveParameter] string $key, float $deadline): array
    {
        $server = match ($this->settings['topology']) {
            'single' => $this->settings['servers'][0],
            'sentinel' => Warnings::quietly(fn (): array => $this->current($deadline)['master']),
            default => Warnings::quietly(fn (): array => $this->nodeFor($key, $deadline)),
        };
        $this->last = serverName($server);
        return $server;
    }

    /** Whether the server that was given last for this key still has it. Asks another one; throws where none knows. */
    public function isStill(#[\SensitiveParameter] string $key, float $deadline): bool
    {
        $name = $this->last;
        $this->map = Warnings::quietly(fn (): array => $this->find($deadline));
        $this->serverFor($key, $deadline);
        return $this->last === $name;
    }

    private function nodeFor(#[\SensitiveParameter] string $key, float $deadline): array
    {
        $slot = $this->slots[$key] ??= self::slotOf($key);
        foreach ($this->current($deadline)['slots'] as [$first, $last, $server]) {
            if ($first <= $slot && $slot <= $last) {
                return $server;
            }
        }
        throw new ServerFailed("CLUSTERDOWN no server has slot $slot", ServerFailed::UNSENT);
    }

    /** Asks again after a failure. A MOVED reply names the server to ask first. */
    public function update(string $why, float $deadline): void
    {
        $isRedirection = preg_match('/^MOVED \d+ (.+):(\d+)$/', $why, $match) === 1;
        try {
            $find = fn (): array => $this->find($deadline, ...($isRedirection ? [['host' => $match[1], 'port' => (int) $match[2]]] : []));
            $this->map = Warnings::quietly($find);
        } catch (ServerFailed) {
            // Keep the old map until a server gives a newer one.
        }
    }

    /**
     * The map to use now. The master may have been replaced: the first worker that finds the Sentinels' answer too old
     * asks again, and the others keep using it meanwhile.
     */
    private function current(float $deadline): array
    {
        $isOld = !$this->isCluster() && microtime(true) - $this->checkedAt >= self::FRESH_SECONDS;
        if ($this->map !== null && !$isOld) {
            return $this->map;
        }
        $this->checkedAt = microtime(true);
        $this->map = $this->recall() ?? $this->map;
        if ($this->map === null) {
            $this->map = $this->find($deadline);
        } elseif ($isOld && time() - (int) filemtime($this->settings['stateFile']) >= self::FRESH_SECONDS) {
            touch($this->settings['stateFile']);
            $this->update('', $deadline);
        }
        return $this->map;
    }

    /**
     * Asks these servers, then every server that is known. The Sentinel that last answered comes first, the server that
     * was given last, which has failed, comes last.
     */
    private function find(float $deadline, array ...$servers): array
    {
        array_push($servers, ...$this->settings['servers'], ...array_column($this->map['slots'] ?? [], 2));
        $servers = array_combine(array_map(serverName(...), $servers), $servers);
        $rank = fn (string $name): array => [$name === $this->last, $name !== ($this->map['by'] ?? '')];
        uksort($servers, fn (string $a, string $b) => $rank($a) <=> $rank($b));
        $why = [];
        foreach ($servers as $name => $server) {
            if ($why !== [] && microtime(true) > $deadline) {
                break;
            }
            // A server that does not answer within a second is skipped.
            $connection = new Connection($server, ['database' => 0] + ($this->settings['sentinel'] ?? []) + $this->settings, [1.0, 1.0]);
            try {
                return $this->remember($connection->run(fn (Resp $asked) => $this->ask($asked, $server, $name)));
            } catch (ServerFailed $error) {
                $why[] = "$name {$error->getMessage()}";
            }
        }
        $what = $this->isCluster() ? 'no server knows the slots: ' : 'no Sentinel names a master: ';
        throw new ServerFailed($what . implode('; ', $why), ServerFailed::UNSENT);
    }

    private function ask(Resp $asked, array $server, string $name): array
    {
        $found = $this->isCluster()
            ? ['slots' => self::askForSlots($asked, $server)]
            : ['master' => self::askForMaster($asked, $this->settings['sentinel']['masterName']), 'by' => $name];
        return $found + ['origin' => $this->origin()];
    }

    private static function askForMaster(Resp $sentinel, string $name): array
    {
        $found = $sentinel->ask(['SENTINEL', 'get-master-addr-by-name', $name]);
        if (!is_array($found) || count($found) !== 2 || !is_string($found[0]) || !is_string($found[1])) {
            throw new ServerFailed("knows no master $name");
        }
        return ['host' => $found[0], 'port' => (int) $found[1]];
    }

    /** The slots of a cluster: first, last and master of each range. A master without a name is the server itself. */
    private static function askForSlots(Resp $node, array $server): array
    {
        $rows = $node->ask(['CLUSTER', 'SLOTS']);
        $slots = [];
        foreach (is_array($rows) ? $rows : [] as $row) {
            [$first, $last, $master] = is_array($row) ? $row + [null, null, null] : [null, null, null];
            [$host, $port] = is_array($master) ? $master + [null, null] : [null, null];
            if (!is_int($first) || !is_int($last) || !is_int($port) || is_array($host)) {
                throw new ServerFailed('has other slots than a cluster');
            }
            $slots[] = [$first, $last, ['host' => in_array($host, ['', '?', null], true) ? $server['host'] : (string) $host, 'port' => $port]];
        }
        return $slots !== [] ? $slots : throw new ServerFailed('has no slots');
    }

    /** The binding that a map belongs to: after a change of the binding the old map is of no use. */
    private function origin(): array
    {
        return [$this->settings['servers'], $this->settings['sentinel']['masterName'] ?? null];
    }

    private function recall(): ?array
    {
        $file = $this->settings['stateFile'];
        clearstatcache(true, $file);
        $map = !self::isRoot() && is_readable($file) ? json_decode((string) file_get_contents($file), true) : null;
        return ($map['origin'] ?? null) === $this->origin() ? $map : null;
    }

    /** Workers write the file: root asks the servers itself, and goes nowhere that a worker has named. */
    private static function isRoot(): bool
    {
        return function_exists('posix_geteuid') && posix_geteuid() === 0;
    }

    private function remember(array $map): array
    {
        $file = $this->settings['stateFile'];
        if (is_writable($file) && $map !== $this->recall()) {
            // A worker that reads half of the file asks the servers itself.
            file_put_contents($file, json_encode($map), LOCK_EX);
        }
        return $map;
    }

    private function isCluster(): bool
    {
        return $this->settings['topology'] === 'cluster';
    }

    /** The slot of a key: CRC16 (XMODEM) of what is in its first braces, or of the whole key. */
    private static function slotOf(#[\SensitiveParameter] string $key): int
    {
        $crc = 0;
        foreach (unpack('C*', preg_match('/^[^{]*\{([^}]+)\}/', $key, $match) ? $match[1] : $key) as $byte) {
            $byte ^= $crc >> 8;
            $byte ^= $byte >> 4;
            $crc = ($crc << 8 ^ $byte << 12 ^ $byte << 5 ^ $byte) & 0xffff;
        }
        return $crc & 0x3fff;
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** The scripts that servers run, each after its SHA-1: to work it out would take longer than all else in a request. */
final class Scripts
{
    public const TAKE = [
        '0c856f23b1e741f953cd73cda4732abdc0c6e399',
        <<<'LUA'
        -- Takes the lock of a session and reads the session, or joins the requests that wait for it.
        --
        -- KEYS: 1 data; 2 lock: the token of its owner and the server that gave it, or `@` on its way to a waiter;
        --   3 waiters: their tokens, by the time until which each is believed to wait; 4 list that calls one of them;
        --   5 mark of a request that has ended.
        -- ARGV: 1 token; 2 milliseconds that the lock lives; 3 `first`, `again` or `woken`; 4 latest time;
        --   5 `1` if the session must exist; 6 how many may wait; 7 server; 8 as in release.lua.
        -- Returns the token, and 1 and the data, or 0 wait, 2 too many wait and the milliseconds that the lock still lives,
        --   3 and the server's time if it is too late, 4 no such session, 5 this request has ended.
        --
        -- The latest time is by the server's clock, in milliseconds, as the request assumes it to be: a server that was frozen
        -- must not give the lock to a request that has ended. A lock given by another server may have been released there
        -- without the knowledge of this one.
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        if now > tonumber(ARGV[4]) then return {ARGV[1], 3, tostring(now)} end
        local owner = redis.call('GET', KEYS[2])
        local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
        if not owner or isMine or (owner == '@' and ARGV[3] == 'woken') then
            if redis.call('EXISTS', KEYS[5]) == 1 then return {ARGV[1], 5} end
            local data = redis.call('GET', KEYS[1])
            if ARGV[3] ~= 'first' then redis.call('ZREM', KEYS[3], ARGV[1]) end
            if ARGV[5] == '1' and not owner and not data then return {ARGV[1], 4} end
            redis.call('SET', KEYS[2], ARGV[1] .. ARGV[7], 'PX', ARGV[2])
            return {ARGV[1], 1, data}
        end
        redis.call('ZREMRANGEBYSCORE', KEYS[3], 0, now)
        if ARGV[3] == 'first' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[6]) then
            return {ARGV[1], 2, redis.call('PTTL', KEYS[2])}
        end
        redis.call('ZADD', KEYS[3], now + 1500, ARGV[1])
        redis.call('PEXPIRE', KEYS[3], 1500)
        local giver = string.match(owner, '^%x+(@.+)$')
        if giver and giver ~= ARGV[7] and redis.call('PTTL', KEYS[2]) > 5000 then redis.call('PEXPIRE', KEYS[2], 5000) end
        return {ARGV[1], 0}
        LUA,
    ];

    public const RELEASE = [
        '8d3dca9fd3b98219b3b57cda891110928b8bba76',
        <<<'LUA'
        -- Writes a session and releases its lock, or calls the next of the requests that wait for it.
        --
        -- KEYS: as in take.lua. ARGV: 1 token; 2 `set`, `touch`, `delete`, `keep` or `nothing`; 3 seconds that the data live;
        --   4 data; 5 hash of the data that were read, empty without locks; 6 server; 7 what was lost: `0` nothing, `1` an
        --   earlier TAKE with this token may still arrive, `2` an earlier RELEASE may have run or may still arrive.
        -- Returns the token, and 1 done, 0 refused since the lock was lost, 2 no data to touch, or 3 if an earlier RELEASE may
        --   have been done, but others have written since.
        --
        -- A request that has lost its lock writes or deletes only while nobody holds the lock and the data are still those that it
        -- read. If a command was lost, the answer is kept as a mark: late commands of this request then change nothing.
        -- `keep` makes an empty session where there is none.
        local owner = redis.call('GET', KEYS[2])
        local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
        local what = ARGV[2]
        local answer = 1
        local failed
        if not isMine and (what == 'set' or what == 'delete') and ARGV[5] ~= '' then
            local told = redis.call('GET', KEYS[5])
            if told then return {ARGV[1], tonumber(told)} end
            local data = redis.call('GET', KEYS[1]) or ''
            if ARGV[7] == '2' and data ~= ARGV[4] then answer = 3
            elseif ARGV[7] ~= '2' and (owner or redis.sha1hex(data) ~= ARGV[5]) then answer = 0 end
            if ARGV[7] == '2' or answer == 0 then what = 'nothing' end
        end
        if what == 'set' then failed = redis.pcall('SETEX', KEYS[1], ARGV[3], ARGV[4])
        elseif what == 'touch' and redis.call('EXPIRE', KEYS[1], ARGV[3]) == 0 and (isMine or ARGV[5] == '') then return {ARGV[1], 2}
        elseif what == 'delete' then redis.call('DEL', KEYS[1])
        elseif what == 'keep' and (isMine or ARGV[5] == '') then redis.pcall('SET', KEYS[1], '', 'EX', ARGV[3], 'NX') end
        if type(failed) ~= 'table' or not failed.err then failed = nil end
        if isMine and not failed and redis.call('ZCARD', KEYS[3]) > 0 then
            redis.call('SET', KEYS[2], '@', 'PX', 1000)
            redis.call('DEL', KEYS[4])
            redis.call('LPUSH', KEYS[4], 1)
            redis.call('PEXPIRE', KEYS[4], 1000)
        elseif isMine then
            redis.call('DEL', KEYS[2])
        end
        if ARGV[7] ~= '0' and not failed then redis.pcall('SET', KEYS[5], answer, 'PX', 60000) end
        return failed or {ARGV[1], answer}
        LUA,
    ];

    /** Runs in place of TAKE where locks are off. */
    public const READ = [
        'dd4fd5d62fedaec90beddf451332675a725e5ec2',
        "return {ARGV[1], 1, redis.call('GET', KEYS[1])}",
    ];
}

/** The store as its file describes it. Runs commands on the server that has a key, and tries again within limits. */
final class Store
{
    /** Replies that end by themselves: while a master is being replaced, slots move or a server is starting. */
    private const PASSING = '/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|MOVED|ASK)\b/';
    private const REFUSED = '/^(WRONGPASS|NOPERM|OOM|MISCONF|WRONGTYPE|ERR|NOAUTH)\b/';
    private const NEEDED = ['topology', 'servers', 'prefix'];
    private const FAILOVER_SECONDS = 8;
    private const PAUSE_MICROSECONDS = 100_000;
    private const POLL_MICROSECONDS = 20_000;
    /** The note of a connection to one address that hides a cluster: proxies of some hosters do. */
    private const HIDES_CLUSTER = 2;

    public array $settings;
    private readonly Settings $file;
    private bool $isSingle;
    private ServerMap $map;
    /** @var array<int, array<string, Connection>> by the process and the names of their servers */
    private array $connections = [];
    /** The token of the request that has lost a connection with a TAKE on its way. */
    private string $lost = '';

    public function __construct(string $file)
    {
        $this->file = new Settings($file, self::NEEDED);
        $this->apply($this->file->read());
    }

    private function apply(#[\SensitiveParameter] array $settings): void
    {
        $this->settings = $settings;
        $this->isSingle = $settings['topology'] === 'single';
        $this->map = new ServerMap($settings);
        $this->connections = [];
    }

    /**
     * The keys of a session: data, lock, waiters, call, and the beginning of the marks' names. On a single server the lock
     * has the name that phpredis gives it, so that both handlers exclude each other; on a cluster all keys must be in the
     * slot of the data (see `namesOn`).
     */
    public function keys(#[\SensitiveParameter] string $id): array
    {
        $key = $this->settings['prefix'] . $id;
        $name = $this->settings['topology'] === 'cluster' ? "{{$key}}" : $key;
        return [$key, "{$name}_LOCK", "{$name}_WAIT", "{$name}_NEXT", "{$name}_DONE_"];
    }

    /**
     * Runs a script, given with its hash. It must return $token first, so that the reply to an earlier command is never
     * taken for its own.
     *
     * Two more arguments follow $arguments: the name of the server if a failover may replace it, or an empty one, and which
     * command with this token was lost, since it may have run or may still arrive: 0 none, 1 a TAKE, 2 a RELEASE.
     * A release is tried for longer.
     */
    public function script(
        array $script,
        array $keys,
        string $token,
        #[\SensitiveParameter] array $arguments,
        bool $isRelease = false,
    ): array {
        $keys[4] .= $token;
        $run = function (Resp $server, bool $mayHaveRun) use ($script, $keys, $token, $arguments, $isRelease): array {
            if ($mayHaveRun && !$isRelease) {
                $this->lost = $token;
            }
            $arguments[] = $this->isSingle ? '' : "@{$this->map->last}";
            $arguments[] = $mayHaveRun && $isRelease ? 2 : ($this->lost === $token ? 1 : 0);
            try {
                return $server->run($script, $this->namesOn($server, $keys), $token, $arguments);
            } catch (ServerFailed $failure) {
                if (!$this->isSingle || !str_starts_with($failure->getMessage(), 'CROSSSLOT')) {
                    throw $failure;
                }
                $server->transport->note = self::HIDES_CLUSTER;
                return $server->run($script, $this->namesOn($server, $keys), $token, $arguments);
            }
        };
        return $this->attempt($keys[0], $isRelease, $run, mustBeCurrent: !$this->isSingle);
    }

    /** Whether a TAKE with this token may still be on its way. */
    public function mayArriveLate(string $token): bool
    {
        return $this->lost === $token;
    }

    /** A server that hides a cluster wants the keys of a script in one slot, as a cluster does. */
    private function namesOn(Resp $server, #[\SensitiveParameter] array $keys): array
    {
        return $server->transport->note === self::HIDES_CLUSTER
            ? preg_replace('/^(.*)(_LOCK|_WAIT|_NEXT|_DONE_[0-9a-f]+)$/Ds', '{$1}$2', $keys)
            : $keys;
    }

    /** Waits until a list has an element and removes it. Returns whether there was one in time. */
    public function waitFor(string $list, int $seconds): bool
    {
        return $this->attempt($list, false, function (Resp $server) use ($list, $seconds): bool {
            [$list] = $this->namesOn($server, [$list]);
            try {
                // A server that says nothing is noticed as late as with any other command.
                return $server->ask(['BLPOP', $list, $seconds], $seconds + $this->settings['readSeconds']) !== null;
            } catch (ServerFailed $failure) {
                return str_starts_with($failure->getMessage(), 'ERR unknown command')
                    ? $this->poll($server, $list, $seconds)
                    : throw $failure;
            }
        });
    }

    /** The same for proxies without blocking commands. */
    private function poll(Resp $server, string $list, int $seconds): bool
    {
        for ($end = microtime(true) + $seconds; microtime(true) < $end; usleep(self::POLL_MICROSECONDS)) {
            if ($server->ask(['LPOP', $list]) !== null) {
                return true;
            }
        }
        return false;
    }

    /**
     * Runs a command until it succeeds or its time is over. `$command` gets whether it may have run already.
     *
     * A server that was frozen may answer before it has heard that another has taken its place. An answer that must be
     * of the current server, and took longer than the map stays fresh, counts only if the others still name this server.
     */
    private function attempt(
        #[\SensitiveParameter] string $key,
        bool $isRelease,
        \Closure $command,
        bool $mustBeCurrent = false,
    ): mixed {
        $start = microtime(true);
        $deadline = $start + self::FAILOVER_SECONDS;
        $mayHaveRun = false;
        for ($try = 0;; $try++) {
            $isTooLarge = false;
            try {
                $connection = $this->connectionFor($key, $deadline);
                $sent = microtime(true);
                $answer = $connection->run($command, $mayHaveRun);
                if (!$mustBeCurrent || microtime(true) - $sent < ServerMap::FRESH_SECONDS) {
                    return $answer;
                }
                $mayHaveRun = true;
                if ($this->map->isStill($key, $deadline)) {
                    return $answer;
                }
                $why = 'another server took its place before it answered';
            } catch (ServerFailed $error) {
                $why = $error->getMessage();
                $mayHaveRun = $mayHaveRun || $error->getCode() === ServerFailed::LOST;
                $isTooLarge = $error->getCode() === ServerFailed::TOO_LARGE;
            }
            $isPassing = preg_match(self::PASSING, $why) === 1;
            if (!$isPassing && !$isTooLarge && $this->reread()) {
                continue;
            }
            $seconds = $this->patienceSeconds($why, $isPassing, $isRelease, $mayHaveRun);
            if (microtime(true) - $start >= $seconds || $isTooLarge || preg_match(self::REFUSED, $why)) {
                $where = $this->map->last ?: implode(', ', array_map(serverName(...), $this->settings['servers']));
                throw new StoreFailed("$where: $why", $isTooLarge ? StoreFailed::TOO_LARGE : 0);
            }
            if ($try > 0) {
                usleep(self::PAUSE_MICROSECONDS);
            }
            if (!$this->isSingle) {
                $this->map->update($why, $deadline);
            }
        }
    }

    /** For how many seconds a command is tried again. */
    private function patienceSeconds(string $why, bool $isPassing, bool $isRelease, bool $mayHaveRun): float
    {
        $isLoading = str_starts_with($why, 'LOADING');
        return match (true) {
            !$this->isSingle => self::FAILOVER_SECONDS,
            // Nothing replaces a single server that is a replica, for example.
            $isPassing && !$isLoading => 0,
            $isRelease => self::FAILOVER_SECONDS,
            // As long as the command may still run: if the request ended before, it could be given a lock.
            $mayHaveRun || $this->lost !== '' => $this->settings['readSeconds'],
            $isLoading => $this->settings['connectSeconds'],
            default => 0,
        };
    }

    /** Closes the connections, on which a reply may be unread. */
    public function disconnect(): void
    {
        foreach ($this->connections[processId()] ?? [] as $connection) {
            $connection->close();
        }
    }

    /** Whether the file has new settings, which are used from now on. */
    private function reread(): bool
    {
        $isNew = $this->file->isNew();
        if ($isNew) {
            $this->apply($this->file->values);
        }
        return $isNew;
    }

    private function connectionFor(#[\SensitiveParameter] string $key, float $deadline): Connection
    {
        $server = $this->map->serverFor($key, $deadline);
        ['connectSeconds' => $toConnect, 'readSeconds' => $toRead] = $this->settings;
        return $this->connections[processId()][$this->map->last] ??= new Connection($server, $this->settings, [$toConnect, $toRead]);
    }

    /** What an app's var_dump may show. */
    public function __debugInfo(): array
    {
        return [];
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

/** A session in Redis or Valkey. Its lock has a token of this request; TAKE gets it, RELEASE gives it back. */
final class RedisSession implements LockedSession
{
    /**
     * The ids that PHP accepts from a cookie, without braces, which would decide about the slot on a cluster, and without
     * the ends of the other keys: a visitor must not reach the lock of a session by its name.
     */
    private const ID = '/^(?!.*_(?:LOCK|WAIT|NEXT|DONE_[0-9a-f]*)$)[^\x00-\x20\x7f{}]{1,256}$/D';

    private ?Store $store = null;
    private string $id = '';
    /** The token of the lock that this request holds, or empty. */
    private string $token = '';
    /** The token that was sent with TAKE last. */
    private string $asked = '';
    /** What the store has, and the same as PHP is given it. */
    private string|false $data = false;
    private string|false $plain = false;

    public function __construct(private readonly string $file)
    {
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return preg_match(self::ID, $id) === 1;
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false): bool
    {
        $this->id = $id;
        $store = $this->store();
        $keys = $store->keys($id);
        $this->asked = $token = bin2hex(random_bytes(8));
        if (!$store->settings['locking']) {
            $this->hold($token, $store->script(Scripts::READ, $keys, $token, []));
        }
        $end = microtime(true) + $store->settings['waitSeconds'];
        $ahead = 0;
        for ($how = 'first'; $this->token === '';) {
            $latest = (int) ((microtime(true) + $store->settings['readSeconds']) * 1000) + $ahead;
            $life = $store->settings['lockSeconds'] * 1000;
            $limit = $store->settings['maxWaiting'];
            try {
                $answer = $store->script(Scripts::TAKE, $keys, $token, [$life, $how, $latest, (int) $mustExist, $limit]);
            } catch (StoreFailed $failure) {
                if ($failure->getCode() === StoreFailed::TOO_LARGE) {
                    $this->token = $token;
                    $this->release('nothing');
                }
                throw $failure;
            }
            if ($answer[1] === 1) {
                $this->hold($token, $answer);
            } elseif ($answer[1] === 2) {
                $this->disown($token);
                $why = "$limit requests are already waiting for this session (PHP_SESSIONS_MAX_WAITING)";
                $left = ceil($answer[2] / 1000);
                throw new StoreFailed("$why; the lock of the request that holds it ends in $left seconds at most", StoreFailed::TOO_MANY);
            } elseif ($answer[1] === 4) {
                $this->disown($token);
                return false;
            } elseif (microtime(true) > $end) {
                $this->disown($token);
                $seconds = $store->settings['waitSeconds'];
                throw new StoreFailed("others have held this session for $seconds seconds (PHP_SESSIONS_MAX_WAIT)");
            } elseif ($answer[1] === 3) {
                // The server's clock differs from the one here, or the server was frozen.
                $ahead = (int) $answer[2] - (int) (microtime(true) * 1000);
            } else {
                // For a second only: a request that dies after it was called takes the call with it.
                $how = $store->waitFor($keys[3], 1) ? 'woken' : 'again';
            }
        }
        if ($mustExist && $this->data === false) {
            $this->release('nothing');
            return false;
        }
        return true;
    }

    public function data(): string|false
    {
        return $this->plain;
    }

    public function holds(): bool
    {
        return $this->token !== '';
    }

    public function release(string $what, #[\SensitiveParameter] string $data = ''): void
    {
        [$token, $this->token] = [$this->token, ''];
        if ($token === '') {
            return;
        }
        $store = $this->store();
        if ($what === 'nothing' && !$store->settings['locking']) {
            return;
        }
        $seconds = max(1, (int) getIni('session.gc_maxlifetime'));
        $before = $store->settings['locking'] ? sha1((string) $this->data) : '';
        $run = fn (string $how): int => $store->script(
            Scripts::RELEASE,
            $store->keys($this->id),
            $token,
            [$how, $seconds, $how === 'set' ? $data : '', $before],
            isRelease: true,
        )[1];
        $done = $run($what);
        if ($done === 2) {
            $done = $run('set');
        }
        if ($done === 3) {
            $why = 'the connection was lost while the session was being written, and this request has no lock any more';
            throw new StoreFailed("$why: whether its changes are kept is not known");
        }
        if ($done === 0) {
            $life = $store->settings['lockSeconds'];
            $why = "this request lost its lock, after $life seconds or in a failover, and the session has changed since";
            throw new StoreFailed("$why: the changes of this request are not kept");
        }
        if ($what === 'set') {
            $this->data = $this->plain = $data;
        }
    }

    public function forget(): void
    {
        $this->token = '';
    }

    public function recover(): void
    {
        $this->store?->disconnect();
        $this->token = $this->token ?: $this->asked;
        $this->release('nothing');
    }

    public function onStoreError(): string
    {
        return $this->store?->settings['onStoreError'] ?? 'stop';
    }

    private function store(): Store
    {
        return $this->store ??= new Store($this->file);
    }

    /** Ends a request without the lock: a TAKE of it that arrives later is not to lock for nobody. */
    private function disown(string $token): void
    {
        if ($this->store()->mayArriveLate($token)) {
            $this->token = $token;
            $this->release('nothing');
        }
    }

    private function hold(string $token, #[\SensitiveParameter] array $answer): void
    {
        $this->token = $token;
        $this->data = $answer[2] ?? false;
        $this->plain = $this->data === false ? false : uncompress($this->data);
    }

    public function __debugInfo(): array
    {
        return [];
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
    Warnings::quietly(fn () => answerInstead($status, $what));
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

/**
 * Keeps the session of a request, one at a time. PHP calls its methods.
 *
 * It has no `updateTimestamp`: PHP then calls `write`, which compares. PHP would go on to call such a method after an app has
 * set six functions of its own, and so it does with `validateId`.
 */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface
{
    /** The cause of the last failure, for php-sessions doctor. */
    public static string $lastFailure = '';

    /** The id of the session that was taken last, and the process that took it. */
    private string $id = '';
    private int $process = 0;
    /** An id that was made for this request and that no session has yet. */
    private string $made = '';
    private ?StoreFailed $failure = null;
    /** After a failure that the app is not to notice: nothing is read or kept. */
    private bool $isDetached = false;
    /** Whether PHP has opened the session here, and not with a handler of the app. */
    private bool $isOpen = false;
    /** Whether a step has begun and not ended. */
    private bool $isWorking = false;
    /** Whether there was a session, so that `finish` is called at the end, and whether it has been. */
    private bool $isUsed = false;
    private bool $isFinished = false;

    public function __construct(private readonly LockedSession $session)
    {
    }

    public function open(string $path, string $name): bool
    {
        $this->isOpen = true;
        if (!$this->isUsed) {
            $this->isUsed = true;
            // The first one is called among the app's, and puts the second one behind them.
            if (\function_exists('register_shutdown_function')) {
                register_shutdown_function('register_shutdown_function', [$this, 'finish']);
            }
        }
        if (!$this->isFinished) {
            Buffer::begin();
        }
        return true;
    }

    public function create_sid(): string
    {
        return $this->made = session_create_id();
    }

    /**
     * Takes the lock already, since PHP goes on to read a session whose id is valid. A failure is kept for `read` to throw
     * again: if the request ended here, PHP would still give the visitor another id.
     */
    public function validateId(#[\SensitiveParameter] string $id): bool
    {
        if (!$this->isOpen) {
            return $id !== $this->made;
        }
        if ($id === $this->made || !$this->session->accepts($id)) {
            return false;
        }
        try {
            return $this->attempt(fn () => $this->take($id, mustExist: true));
        } catch (StoreFailed $failure) {
            $this->failure = $failure;
            return true;
        }
    }

    public function read(#[\SensitiveParameter] string $id): string
    {
        $this->made = '';
        if ($this->failure === null && $this->has($id)) {
            return (string) $this->session->data();
        }
        if (!$this->session->accepts($id)) {
            report('this session is not kept: its id has blanks or braces, more than 256 characters, or the end of another key');
            $this->isDetached = true;
            return '';
        }
        return $this->guard(function () use ($id): string {
            if ($this->failure !== null) {
                throw $this->failure;
            }
            $this->take($id);
            return (string) $this->session->data();
        }, '');
    }

    public function write(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        return $this->isKept($data) || $this->guard(fn () => $this->save($id, $data), true);
    }

    public function destroy(#[\SensitiveParameter] string $id): bool
    {
        return $this->guard(function () use ($id): bool {
            if ($this->isFinished) {
                $this->take($id);
            }
            $this->session->release('delete');
            return true;
        }, true);
    }

    /** An id that was given out stays known even where nothing was written, as with PHP's files. */
    public function close(): bool
    {
        $isClosed = !$this->session->holds() || $this->guard($this->releaseAsRead(...), true);
        $this->isOpen = false;
        $this->isDetached = false;
        Buffer::end();
        return $isClosed;
    }

    /** Redis removes expired sessions itself. */
    public function gc(int $max): int
    {
        return 0;
    }

    /**
     * Writes the session after the app's shutdown functions, while a failure can still be a status 503. It stays open, as with
     * PHP's files: PHP writes it once more at its very end, and what destructors and output callbacks have changed.
     */
    public function finish(): void
    {
        if ($this->isWorking) {
            $this->recover();
        } elseif ($this->isOpen && session_status() === PHP_SESSION_ACTIVE) {
            // Where memory is short already, PHP's own try at the very end may fail, but without the lock.
            $data = isOutOfMemory() ? null : encodeSession();
            $this->guard(fn () => $data === null ? $this->releaseAsRead() : $this->save($this->id, $data), true);
        } else {
            // PHP does not call `close` after an exception, as for a session that cannot be serialized.
            $this->session->holds() && $this->guard($this->releaseAsRead(...), true);
        }
        $this->isFinished = true;
    }

    /** An app's shutdown function that calls exit keeps PHP from calling those behind it. */
    public function __destruct()
    {
        if ($this->isUsed && !$this->isFinished) {
            $this->finish();
        }
    }

    /**
     * A fatal error, for example too little memory, has ended a step. PHP believes this handler to be busy, and would say so in
     * the page if it had to close the session later.
     */
    private function recover(): void
    {
        Warnings::quietly(session_abort(...));
        $this->guard($this->session->recover(...), null);
        $this->isDetached = true;
    }

    /** One session at a time: an earlier one is released. */
    private function take(#[\SensitiveParameter] string $id, bool $mustExist = false): bool
    {
        if ($this->has($id)) {
            return true;
        }
        if ($this->session->holds()) {
            $this->process === processId() ? $this->session->release('nothing') : $this->session->forget();
        }
        $this->id = $id;
        $this->process = processId();
        return $this->session->take($id, $mustExist);
    }

    private function has(#[\SensitiveParameter] string $id): bool
    {
        return $this->session->holds() && $id === $this->id && $this->process === processId();
    }

    /** Whether `finish` has written the session already as it is now. */
    private function isKept(#[\SensitiveParameter] string $data): bool
    {
        return $this->isFinished && !$this->session->holds() && $data === $this->session->data();
    }

    private function save(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        if ($this->isFinished && !$this->session->holds()) {
            return $this->saveAgain($id, $data);
        }
        $this->session->release($data === $this->session->data() ? 'touch' : 'set', $data);
        return true;
    }

    /** Writes what was changed after `finish`, unless another request has changed the session since. */
    private function saveAgain(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        $written = $this->session->data();
        $this->take($id);
        if ($this->session->data() === $written) {
            $this->session->release('set', $data);
            return true;
        }
        $this->session->release('nothing');
        throw new StoreFailed('another request has changed the session since: what was changed after the page is not kept');
    }

    /** Releases the lock of a session that is not written. */
    private function releaseAsRead(): bool
    {
        $this->session->release($this->session->data() === false ? 'keep' : 'nothing');
        return true;
    }

    /** Runs a step. After a failure the request ends with status 503, or where that was chosen, goes on with `$instead`. */
    private function guard(\Closure $step, mixed $instead): mixed
    {
        if ($this->session->holds() && $this->process !== processId()) {
            // A child of the process that has the session open. Its connection is the parent's, and must not be closed either.
            $this->session->forget();
            $this->isDetached = true;
        }
        if ($this->isDetached) {
            return $instead;
        }
        try {
            return $this->attempt($step);
        } catch (StoreFailed $failure) {
            $why = $failure->getMessage();
            $isTooMany = $failure->getCode() === StoreFailed::TOO_MANY;
        } catch (\Throwable $failure) {
            // A function that the hoster has forbidden, for example.
            $why = $failure->getMessage() . ' in line ' . $failure->getLine();
            $isTooMany = false;
        }
        $this->session->forget();
        $this->failure = null;
        $this->isDetached = true;
        self::$lastFailure = $why;
        report(($isTooMany ? 'a request is refused: ' : 'the session store cannot be used: ') . printable($why));
        if ($this->session->onStoreError() === 'empty' || $this->isFinished || isCalledLast()) {
            return $instead;
        }
        $isTooMany ? refuse(429, 'Too many requests at once') : refuse();
    }

    /** Runs a step so that no error handler of the app is called in it. */
    private function attempt(\Closure $step): mixed
    {
        $this->isWorking = true;
        Warnings::begin();
        try {
            return $step();
        } finally {
            restore_error_handler();
            $this->isWorking = false;
        }
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/**
 * Installs the handler in place of the one that the ini names. Without the store's extension PHP itself reports what is missing.
 *
 * Where it cannot be installed, because hosters forbid session_set_save_handler or because PHP refuses every handler of an app
 * while session.upload_progress.enabled is on (CVE-2026-115560), the start configures PHP's own handler. Where the start could
 * not know, that one goes on, but has no login.
 */
function install(LockedSession $session, string $extension, string ...$replaced): void
{
    if (!extension_loaded($extension) || !in_array(getIni('session.save_handler'), $replaced, true)) {
        return;
    }
    // PHP has started a session before this file runs, or has tried to.
    $isStarted = getIni('session.auto_start');
    if (session_status() === PHP_SESSION_ACTIVE) {
        session_abort();
    }
    try {
        session_set_save_handler(new Handler($session), false);
    } catch (\Error) {
    }
    if ($isStarted) {
        session_start();
    }
}

install(new RedisSession((string) get_cfg_var('php_sessions.store')), 'redis', 'redis', 'rediscluster');

if (get_cfg_var('php_sessions.auto_prepend_file') !== false) {
    require get_cfg_var('php_sessions.auto_prepend_file');
}

namespace Symfony\Component\HttpFoundation\Session\Storage;

use function ini_get;

/**
 * Symfony calls this function in place of PHP's, since it writes the name without a backslash.
 *
 * By default Symfony wraps PHP's own SessionHandler, behind which PHP would put phpredis: then the managed handler stays
 * installed. A handler of the app itself, for example one that encrypts, is installed as usual.
 */
function session_set_save_handler(object $handler, bool $register = true): bool
{
    $inner = $handler;
    while ($inner instanceof Proxy\SessionHandlerProxy || $inner instanceof Handler\StrictSessionHandler) {
        $inner = (fn (): ?object => $this->handler ?? null)->call($inner);
    }
    $isDefault = $inner !== null && $inner::class === \SessionHandler::class;
    return $isDefault && ini_get('session.save_handler') === 'user' || \session_set_save_handler($handler, $register);
}
