<?php

namespace PhpSessions;

use function array_slice, count, random_int;

/**
 * Speaks to a Memcached over one connection. Several commands leave in one write, and each has exactly one answer, in order.
 *
 * A command is a list: `get` KEY, `add` or `replace` KEY VALUE SECONDS, `cas` KEY VALUE SECONDS NUMBER, `append` KEY VALUE,
 * `touch` KEY SECONDS, `delete` KEY [NUMBER]. The number is that of an item's last change, which `get` gives.
 */
abstract class Protocol
{
    /** What a server refuses, as PHP's log has it. */
    public const TOO_LARGE = 'the session is larger than the server takes (its option -I); the earlier session is kept';
    protected const FULL = 'the server is full';

    /** @var array<int, array> the commands whose answers are not read yet, by the numbers that come back with them */
    private array $owed = [];
    private int $last;

    public function __construct(protected readonly Transport $transport)
    {
        $this->last = random_int(1, 1 << 30);
    }

    /** Finds out, on a new connection, which protocol the server speaks, and logs in; each connection has so many seconds. */
    public static function begin(Transport $transport, ?string $user, #[\SensitiveParameter] ?string $password, float $seconds): self
    {
        if ($password === null && Meta::isSpoken($transport)) {
            return new Meta($transport);
        }
        if ($password === null) {
            // The first bytes have decided about the protocol of this connection.
            $transport->close();
            $transport->open($seconds);
        }
        $protocol = new Binary($transport);
        $protocol->logIn($user, $password);
        return $protocol;
    }

    /**
     * Sends commands and returns their answers: for `get` the value and its number, or null; for others whether it was done,
     * which is not so where the item is there already, is gone or has changed. Throws what the server refuses.
     */
    public function ask(#[\SensitiveParameter] array $commands, ?float $seconds): array
    {
        $this->send($commands, $seconds);
        $answers = [];
        foreach ($this->owed as $number => $command) {
            $answers[] = $this->decode($command, $number);
        }
        $this->owed = [];
        $this->transport->end();
        $answers = array_slice($answers, -count($commands));
        foreach ($answers as $answer) {
            if ($answer instanceof ServerFailed) {
                throw $answer;
            }
        }
        return $answers;
    }

    /** Sends commands whose answers the next `ask` reads. A connection with unread answers serves no other request. */
    public function send(#[\SensitiveParameter] array $commands, ?float $seconds): void
    {
        $this->transport->begin($seconds);
        $bytes = '';
        foreach ($commands as $command) {
            $this->owed[++$this->last] = $command;
            $bytes .= $this->encode($command, $this->last);
        }
        $this->transport->write($bytes);
    }

    /** The bytes of a command whose answer nobody reads. */
    public function unasked(array $command): string
    {
        return $this->encode($command, ++$this->last);
    }

    abstract protected function encode(#[\SensitiveParameter] array $command, int $number): string;

    /** The answer to a command; a ServerFailed where the server refuses it and the connection is sound. */
    abstract protected function decode(array $command, int $number): array|bool|null|ServerFailed;

    public function __debugInfo(): array
    {
        return [];
    }
}
