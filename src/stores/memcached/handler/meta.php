<?php

namespace PhpSessions;

use function preg_match, rtrim, str_ends_with, str_starts_with, strlen, substr, version_compare;

/**
 * The text protocol with meta commands, from memcached 1.6.13 on.
 *
 * Values are not written by `ms`: it deletes what is there if the new value is too large, also with a number. The answers of
 * `add`, `replace`, `cas` and `append` have no number; each of them is sent with a command whose answer has one.
 */
final class Meta extends Protocol
{
    private const OLDEST = '1.6.13';
    /** More than a header's length, after which servers notice that this is not the binary protocol. */
    private const QUESTION = "version\r\nmn\r\nmn\r\nmn\r\nmn\r\n";

    /** Whether the server speaks it; else it must be asked in the binary protocol, on another connection. */
    public static function isSpoken(Transport $transport): bool
    {
        $transport->begin(null);
        $transport->write(self::QUESTION);
        try {
            $first = $transport->line();
        } catch (ServerFailed $failure) {
            // A server that speaks only the binary protocol ends the connection.
            return str_starts_with($failure->getMessage(), 'no answer') ? throw $failure : false;
        }
        if (!preg_match('/^VERSION (\d+\.\d+\.\d+)/', $first, $found)) {
            $transport->fail(
                str_starts_with($first, 'CLIENT_ERROR unauthenticated')
                    ? 'the server asks for a login by the text protocol, which php-memcached does not have'
                    : 'the answer is not Memcached\'s',
            );
        }
        for ($count = 0, $isSpoken = version_compare($found[1], self::OLDEST, '>='); $count < 4; $count++) {
            $isSpoken = $transport->line() === 'MN' && $isSpoken;
        }
        $transport->end();
        return $isSpoken;
    }

    protected function encode(#[\SensitiveParameter] array $command, int $number): string
    {
        [$name, $key, $value, $seconds, $cas] = $command + [2 => '', 3 => 0, 4 => ''];
        $length = strlen((string) $value);
        return match ($name) {
            'get' => "mg $key v c O$number\r\n",
            'touch' => "mg $key T$value O$number\r\n",
            'delete' => "md $key O$number" . ($value === '' ? '' : " C$value") . "\r\n",
            'cas' => "cas $key 0 $seconds $length $cas\r\n$value\r\n",
            default => "$name $key 0 $seconds $length\r\n$value\r\n",
        };
    }

    protected function decode(array $command, int $number): array|bool|null|ServerFailed
    {
        $line = $this->transport->line();
        if (str_starts_with($line, 'SERVER_ERROR ')) {
            return new ServerFailed($this->refusal(substr($line, 13)), ServerFailed::REFUSED);
        }
        return match ($command[0]) {
            'get' => $this->value($line, $number),
            'touch', 'delete' => match ($this->without($line, $number)) {
                'HD' => true,
                'EX', 'NF', 'EN' => false,
                default => $this->fail($line),
            },
            default => match ($line) {
                'STORED' => true,
                'NOT_STORED', 'EXISTS', 'NOT_FOUND' => false,
                default => $this->fail($line),
            },
        };
    }

    /** @return ?array{string, string} */
    private function value(string $line, int $number): ?array
    {
        $rest = $this->without($line, $number);
        if ($rest === 'EN') {
            return null;
        }
        // A pattern with the number in it would be compiled for each answer.
        if (!preg_match('/^VA +(\d{1,10}) +c(\d{1,20})$/D', $rest, $found)) {
            $this->fail($line);
        }
        $bytes = $this->transport->bytes((int) $found[1] + 2);
        return str_ends_with($bytes, "\r\n")
            ? [substr($bytes, 0, -2), $found[2]]
            : $this->transport->fail('the answer does not have the length it states');
    }

    /** A line without its number; the whole line if it has another one. Before 1.6.18 EN has none. */
    private function without(string $line, int $number): string
    {
        $line = rtrim($line, ' ');
        $end = " O$number";
        return str_ends_with($line, $end) ? rtrim(substr($line, 0, -strlen($end)), ' ') : ($line === 'EN' ? 'EN' : '');
    }

    private function refusal(string $why): string
    {
        return match (true) {
            str_starts_with($why, 'object too large') => self::TOO_LARGE,
            str_starts_with($why, 'out of memory') => self::FULL,
            default => $why,
        };
    }

    private function fail(string $line): never
    {
        $isError = preg_match('/^(CLIENT_ERROR [ -~]{1,100}|ERROR)$/D', $line) === 1;
        $this->transport->fail($isError ? "the server does not understand: $line" : 'the answer belongs to another command');
    }
}
