<?php

namespace PhpSessions;

use function hash, in_array, max, microtime, min, preg_match, restore_error_handler, round, serialize, usleep;

/** The server as the settings describe it, over one connection that stays open from request to request. */
final class Cache
{
    private const NEEDED = ['server', 'user', 'password', 'prefix', 'lockSeconds'];
    private const PAUSE_MICROSECONDS = 100_000;
    /** The patience for a command that is not worth a wait: telling the server that a request has gone. */
    private const SHORT_SECONDS = 0.3;
    /** The notes of a connection in use. */
    private const META = 1;
    private const BINARY = 2;

    public array $settings;
    /** Counts connections: an item's number is valid only on the connection that read it. */
    public int $connection = 0;
    /** A command that the server gets behind those that it has not answered in time. */
    public ?array $farewell = null;
    /** When this step must be over; null outside of one. */
    private ?float $end = null;
    private readonly Settings $file;
    private ?Transport $transport = null;
    private ?Protocol $protocol = null;
    /** The process that has opened the connection: a child must not speak on it. */
    private int $process = 0;

    public function __construct(string $file)
    {
        $this->file = new Settings($file, self::NEEDED);
        $this->settings = $this->file->read();
    }

    /** Begins or ends a step: all that is asked in it has the time of one answer. */
    public function limit(bool $isOn): void
    {
        $this->end = $isOn ? microtime(true) + $this->settings['readSeconds'] : null;
    }

    /**
     * Sends commands and returns their answers. They are sent once: they may have run before the connection was lost.
     */
    public function ask(array ...$commands): array
    {
        return $this->attempt(fn (bool $isAgain): ?array => $isAgain ? null : $commands);
    }

    /**
     * Sends the commands that a closure gives, for `$patience` seconds again where no connection can be had. The closure gets
     * whether the commands may have run already, and gives null if that is too much.
     */
    public function attempt(\Closure $commands, float $patience = 0): array
    {
        $start = microtime(true);
        $end = $this->end ?? $start + $this->settings['readSeconds'];
        for ($isAgain = false;; $isAgain = true) {
            try {
                return $this->once(fn () => $this->server($end)->ask($commands($isAgain), self::left($end)));
            } catch (ServerFailed $failure) {
                $isNew = $this->reread();
                $isOver = self::isSilence($failure) || microtime(true) >= $end || ($isAgain && microtime(true) - $start >= $patience && !$isNew);
                $isAnswer = in_array($failure->getCode(), [ServerFailed::REFUSED, ServerFailed::TOO_LARGE], true);
                if ($isOver || ($isAnswer && !$isNew) || $commands(true) === null) {
                    throw new ServerFailed(serverName($this->settings['server']) . ": {$failure->getMessage()}", $failure->getCode());
                }
                if ($isAgain) {
                    usleep(self::PAUSE_MICROSECONDS);
                }
            }
        }
    }

    /** Sends commands whose answers the next ones read, or nobody. */
    public function send(array ...$commands): void
    {
        $end = microtime(true) + self::SHORT_SECONDS;
        $this->once(fn () => $this->server($end)->send($commands, self::SHORT_SECONDS));
    }

    public function disconnect(): void
    {
        if ($this->process === processId()) {
            $this->transport?->close();
        }
        [$this->transport, $this->protocol] = [null, null];
    }

    private function once(\Closure $step): ?array
    {
        Warnings::begin();
        try {
            return $step();
        } catch (ServerFailed $failure) {
            if ($failure->getCode() !== ServerFailed::REFUSED) {
                $this->disconnect();
            }
            throw $failure;
        } finally {
            restore_error_handler();
        }
    }

    /** Whether the file has new settings. */
    private function reread(): bool
    {
        if (!$this->file->isNew()) {
            return false;
        }
        $this->settings = $this->file->values;
        $this->disconnect();
        return true;
    }

    /** The server, on a connection that is open and logged in. */
    private function server(float $end): Protocol
    {
        if ($this->protocol === null || $this->process !== processId()) {
            [$this->transport, $this->protocol] = [null, null];
            $this->process = processId();
            $this->connection++;
            try {
                $this->protocol = $this->open(self::left(min($end, microtime(true) + $this->settings['connectSeconds'])));
            } catch (ServerFailed $failure) {
                $this->disconnect();
                throw $failure;
            }
        }
        return $this->protocol;
    }

    private function open(float $seconds): Protocol
    {
        ['server' => $server, 'user' => $user, 'password' => $password] = $this->settings;
        $identity = hash('xxh128', serialize([$user, $password, processId()]));
        $this->transport = new Transport($server, null, $identity);
        $this->transport->onSilence = fn (): string => $this->farewell === null ? '' : (string) $this->protocol?->unasked($this->farewell);
        $this->transport->open($seconds);
        if ($this->transport->note > 0) {
            return $this->transport->note === self::META ? new Meta($this->transport) : new Binary($this->transport);
        }
        $protocol = Protocol::begin($this->transport, $user, $password, $seconds);
        $this->transport->note = $protocol instanceof Meta ? self::META : self::BINARY;
        return $protocol;
    }

    /** Whether the server said nothing: it is not asked again. */
    public static function isSilence(ServerFailed $failure): bool
    {
        return preg_match('/no answer for|takes no more bytes for|timed out/', $failure->getMessage()) === 1;
    }

    /** How much time is left, as a message may have it. */
    private static function left(float $end): float
    {
        return round(max(0.1, $end - microtime(true)), 1);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
