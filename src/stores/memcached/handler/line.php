<?php

namespace PhpSessions;

use function array_diff, array_search, array_shift, array_slice, array_unique, array_values, explode, implode,
in_array, preg_grep, preg_match, str_replace;

/**
 * The line in a lock: the owner's token and, in the order of their arrival, those of the requests that wait. `!TOKEN` at the
 * end says that this request has ended: `A B C !A` is B's. The second word may be what the owner says of itself:
 * `A !TIME|INSTANCE|PROCESS|METHOD|/path B C`. The lock of php-memcached's own handler is `1`.
 */
final class Line
{
    /** Empty where there is no lock. */
    public readonly string $owner;
    /** Whether the owner has released the lock. */
    public readonly bool $isFree;
    /** @var list<string> */
    public readonly array $waiting;

    public function __construct(public readonly string $text)
    {
        $tokens = explode(' ', $text);
        $this->owner = array_shift($tokens);
        $gone = str_replace('!', '', preg_grep('/^!/', $tokens));
        $this->isFree = in_array($this->owner, $gone, true);
        // A command that was sent again may have appended twice.
        $waiting = array_unique(array_diff(preg_grep('/^!/', $tokens, PREG_GREP_INVERT), $gone));
        $this->waiting = array_values($waiting);
    }

    /** How many wait before this request; null where it is not in the line. */
    public function ahead(string $token): ?int
    {
        $place = array_search($token, $this->waiting, true);
        return $place === false ? null : $place;
    }

    /** What the owner says of itself, or else its token. */
    public function holder(): string
    {
        return preg_match('/ !(\d+\|\S*)/', $this->text, $found) ? $found[1] : $this->owner;
    }

    /** The line when this request owns the lock, with its token and what it says of itself: those behind it stay. */
    public function takenBy(string $token, string $mark): string
    {
        $behind = array_slice($this->waiting, ($this->ahead($token) ?? -1) + 1);
        return implode(' ', [$mark, ...$behind]);
    }
}
