<?php

namespace PhpSessions;

use function preg_replace, restore_error_handler, set_error_handler;

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
