<?php

namespace PhpSessions;

use function fclose, fread, fwrite, hexdec, hrtime, intdiv, is_resource, max, pfsockopen, str_contains, str_starts_with,
stream_context_create, stream_get_meta_data, stream_select, stream_set_blocking, stream_set_chunk_size,
stream_socket_client, stream_socket_enable_crypto, strlen, strpos, substr, usleep;

/**
 * Carries bytes to one server and back, over a connection that stays open from request to request.
 *
 * It connects, waits and enforces limits; another class speaks the protocol. Streams are used only when they are
 * ready, so nothing lasts beyond the deadline, whatever the server does; only PHP's look-up of a host name has no
 * limit. Call it within `Warnings::quietly`.
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
    private const PIECE_BYTES = 1 << 20;
    /** The bytes that are received without checking memory_limit. */
    private const FREE_BYTES = 1 << 20;

    /** Kept with the connection: 0 until the login is done. The protocol decides about other values. */
    public int $note = 0;
    /** Gives the last bytes for a server that has not answered in time: it may still run the commands it was sent. */
    public ?\Closure $onSilence = null;
    /** @var ?resource */
    private $stream = null;
    private string $received = '';
    private int $parsed = 0;
    private float $seconds = 0;
    private int $deadline = 0;
    private int $limitBytes = self::FREE_BYTES;
    private bool $isSent = false;
    private bool $isMarked = false;

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

    /** Reuses the connection that an earlier request has kept, or opens a new one, whose note is 0. */
    public function open(float $seconds): void
    {
        $this->begin($seconds);
        do {
            $this->stream = $this->connect($seconds);
            $size = stream_set_chunk_size($this->stream, self::IN_USE);
            $this->isMarked = true;
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
                // A Redis with as many clients as it allows does that, and cannot say so.
                $isCut = Warnings::$first === '' || str_contains(Warnings::$first, 'reset by peer');
                $this->fail($isCut ? 'SSL: the server closed the connection, perhaps because it has no more (maxclients)' : Warnings::$first);
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
        if ($this->note > 0 && !$this->isMarked) {
            $this->isMarked = true;
            stream_set_chunk_size($this->stream, self::IN_USE);
        }
    }

    /** Writes piece by piece: a server may take a large session slowly, and what is left is copied each time. */
    public function write(string $bytes): void
    {
        for ($sent = 0; $sent < strlen($bytes); $sent += $count) {
            $piece = substr($bytes, $sent, self::PIECE_BYTES);
            $count = (int) fwrite($this->stream, $piece);
            if ($count === strlen($piece)) {
                continue;
            }
            if ($count === 0 && (Warnings::$first !== '' || $this->hasEnded())) {
                $this->fail(Warnings::$first ?: 'the server closed the connection');
            }
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

    /** The first received bytes, none of which count as used. */
    public function first(): string
    {
        if ($this->received === '') {
            $this->receive();
        }
        return $this->received;
    }

    /** Ends an exchange that received exactly its answer: later ones may use the connection. */
    public function end(bool $isWhole = false): void
    {
        if (!$isWhole && $this->parsed !== strlen($this->received)) {
            $this->fail('the answer has bytes after its end');
        }
        $this->received = '';
        $this->isMarked = false;
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
            $this->limitBytes = max(self::FREE_BYTES, roomBytes());
            if (strlen($this->received) > $this->limitBytes) {
                $this->close();
                throw new ServerFailed('the answer does not fit into memory_limit', ServerFailed::TOO_LARGE);
            }
        }
    }

    /** Waits until the stream is ready, or throws at the deadline. */
    private function await(string $why, bool $isForWriting = false): void
    {
        $left = intdiv($this->deadline - hrtime(true), 1000);
        if ($left <= 0) {
            // Not within a command that has not left whole.
            $isForWriting || $this->onSilence === null || fwrite($this->stream, ($this->onSilence)());
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

    public function __debugInfo(): array
    {
        return [];
    }
}
