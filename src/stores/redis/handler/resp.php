<?php

namespace PhpSessions;

use function count, str_ends_with, str_starts_with, strlen, substr;

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

    /** Runs a script, given with its hash. One that the server does not know, after a restart for example, is sent whole. */
    public function run(array $script, array $keys, #[\SensitiveParameter] array $arguments): mixed
    {
        [$hash, $lua] = $script;
        $rest = [count($keys), ...$keys, ...$arguments];
        try {
            return $this->ask(['EVALSHA', $hash, ...$rest]);
        } catch (ServerFailed $failure) {
            return str_starts_with($failure->getMessage(), 'NOSCRIPT')
                ? $this->ask(['EVAL', $lua, ...$rest])
                : throw $failure;
        }
    }

    private function exchange(#[\SensitiveParameter] array $words, ?float $seconds): mixed
    {
        $command = '*' . count($words) . "\r\n";
        foreach ($words as $word) {
            $length = strlen((string) $word);
            $command .= "\${$length}\r\n{$word}\r\n";
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
