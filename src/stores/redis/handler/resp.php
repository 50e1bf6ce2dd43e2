<?php

namespace PhpSessions;

use function count, implode, is_array, is_int, str_ends_with, str_starts_with, strlen, substr;

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
        return $this->exchange(count($words), self::encode($words), $seconds ?? $this->seconds);
    }

    /** The same within the time that is left for connecting. */
    public function askAtOnce(#[\SensitiveParameter] array $words): mixed
    {
        return $this->exchange(count($words), self::encode($words), null);
    }

    /** Sends commands in one write. What the server refuses is among the answers, as a ServerFailed. */
    public function askAll(#[\SensitiveParameter] array $commands): array
    {
        $encoded = [];
        foreach ($commands as $words) {
            $encoded[] = '*' . count($words) . "\r\n" . self::encode($words);
        }
        $this->transport->begin($this->seconds);
        $this->transport->write(implode($encoded));
        $answers = [];
        foreach ($commands as $words) {
            $line = $this->transport->line();
            $this->elements = 0;
            $answers[] = ($line[0] ?? '') === '-'
                ? new ServerFailed(substr($line, 1), ServerFailed::REFUSED)
                : $this->value($line, self::DEPTH);
        }
        $this->transport->end();
        return $answers;
    }

    /**
     * Runs a script, given with its hash; one that the server does not know, after a restart for example, is sent whole. The
     * answer must begin with the token, so that the answer to another command is never taken for its own.
     */
    public function run(array $script, array $keys, string $token, #[\SensitiveParameter] array $arguments): array
    {
        [$hash, $lua] = $script;
        $count = count($keys) + count($arguments) + 4;
        $rest = self::encode([count($keys), ...$keys, $token, ...$arguments]);
        try {
            $answer = $this->exchange($count, "\$7\r\nEVALSHA\r\n\$40\r\n$hash\r\n$rest", $this->seconds, $token);
        } catch (ServerFailed $failure) {
            if (!str_starts_with($failure->getMessage(), 'NOSCRIPT')) {
                throw $failure;
            }
            $answer = $this->exchange($count, self::encode(['EVAL', $lua]) . $rest, $this->seconds, $token);
        }
        return is_array($answer) && ($answer[0] ?? null) === $token && is_int($answer[1] ?? null)
            ? $answer
            : throw new ServerFailed('the reply belongs to another command', ServerFailed::LOST);
    }

    private static function encode(#[\SensitiveParameter] array $words): string
    {
        $encoded = '';
        foreach ($words as $word) {
            $length = strlen($word);
            $encoded .= "\${$length}\r\n{$word}\r\n";
        }
        return $encoded;
    }

    private function exchange(int $count, #[\SensitiveParameter] string $words, ?float $seconds, string $token = ''): mixed
    {
        $this->transport->begin($seconds);
        $this->transport->write("*$count\r\n$words");
        if ($token !== '' && ($done = $this->done($token)) !== null) {
            return $done;
        }
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

    /** The answer of a script that is done, as most are: it needs no parser. Null for another one, or a part of one. */
    private function done(string $token): ?array
    {
        $received = $this->transport->first();
        $begin = "\$16\r\n$token\r\n:1\r\n";
        if ($received === "*2\r\n$begin") {
            $answer = [$token, 1];
        } elseif (str_starts_with($received, "*3\r\n$begin\$")) {
            $at = strlen($begin) + 5;
            $length = (int) substr($received, $at, 20);
            $data = substr($received, $at + strlen($length) + 2, -2);
            if ($received !== "*3\r\n$begin\$$length\r\n$data\r\n" || strlen($data) !== $length) {
                return null;
            }
            $answer = [$token, 1, $data];
        } else {
            return null;
        }
        $this->transport->end(isWhole: true);
        return $answer;
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
            : $this->transport->fail('the answer does not have the length it states');
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
