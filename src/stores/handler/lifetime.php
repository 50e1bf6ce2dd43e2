<?php

namespace PhpSessions;

use function max, min;

/**
 * How long the sessions of a request live. A request without a session cookie has a new visitor, who may be a bot:
 * its session lives for PHP_SESSIONS_FIRST_LIFETIME, until the visitor comes again.
 */
final class Lifetime
{
    /** The session that this request has begun. */
    private string $begun = '';
    /** Whether its visitor had a session before: `session_regenerate_id` begins another one for the same visitor. */
    private bool $isKnown = false;

    /** A session was taken, with these data. */
    public function note(#[\SensitiveParameter] string $key, #[\SensitiveParameter] string|false $data): void
    {
        if ($data === false) {
            $this->begun = $key;
        } elseif ($key !== $this->begun) {
            $this->isKnown = true;
        }
    }

    /** In seconds; 0 is for ever. */
    public function seconds(#[\SensitiveParameter] string $key, int $first): int
    {
        $seconds = max(0, (int) getIni('session.gc_maxlifetime'));
        $isFirst = $first > 0 && !$this->isKnown && $key === $this->begun;
        return $isFirst && $seconds > 0 ? min($first, $seconds) : ($isFirst ? $first : $seconds);
    }
}
