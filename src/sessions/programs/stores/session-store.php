<?php

namespace PhpSessions;

/**
 * The sessions of an app in one store. A key is the id of a session: its name in the store without the prefix.
 *
 * Each method throws StoreFailed, with the cause and without a secret. Arrays have the keys as PHP makes them: one that looks
 * like a number has become one, and needs `(string)`.
 */
interface SessionStore
{
    /**
     * The keys of all sessions, in lists of at most a few thousand. Locks, other keys of the handlers and what is no session is
     * left out. A session that is made or removed meanwhile may be missing, and a key may come twice.
     *
     * Between the lists others must be served: see Pace. Where the server does not list its keys, the failure says why.
     */
    public function keys(): iterable;

    /** About how many keys the store has, those of others included, for the progress; null where it does not know. */
    public function total(): ?int;

    /** The bytes of each session and the seconds that it has to live, null for ever: `[key => [bytes, seconds]]`. */
    public function measure(array $keys): array;

    /** The same with the data, byte for byte, in place of their number. Sessions that are gone are left out. */
    public function read(array $keys): array;

    /**
     * Adds those of `[key => [data, seconds]]` that the store does not have, whole or not at all. Returns their keys. Notes, by
     * the same keys, are kept beside sessions that have none, as MovedSession does.
     */
    public function add(#[\SensitiveParameter] array $sessions, array $notes = []): array;

    /** Removes a session, whoever holds its lock. Returns whether there was one. */
    public function delete(string $key): bool;

    /**
     * Ends sessions, in such a way that a request which has one of them now does not write it back, where the handler's lock can
     * ensure that. Returns how many there were.
     */
    public function end(array $keys): int;
}

/** A store of the question, by its name there. */
function openStore(string $name): SessionStore
{
    $kind = Asked::$question['stores'][$name]['kind'];
    return match ($kind) {
        'redis' => new RedisSessionStore($name),
        'memcached' => new MemcachedSessionStore($name),
        'files' => new FilesSessionStore($name),
    };
}

/** The keys with which the sessions of a store are encrypted. */
function keyringOf(string $name): Keyring
{
    return new Keyring(Asked::$question['stores'][$name]['settings']);
}

/** What PHP wrote as a session, of what a store has under a key; null where that cannot be read. */
function plainOf(Keyring $ring, string $key, #[\SensitiveParameter] string $data): ?string
{
    try {
        return $ring->open($key, uncompress($data));
    } catch (Unreadable) {
        return null;
    } catch (StoreFailed $failure) {
        return str_contains($failure->getMessage(), 'memory_limit') ? null : throw $failure;
    }
}

/** Pauses after each step, so that the steps keep a server busy for only a share of its time. */
final class Pace
{
    private const SHARE = 0.5;
    /** A step that takes longer waits for its own turn, not for the server. */
    private const LONGEST_MICROSECONDS = 10_000;

    public static function step(\Closure $step): mixed
    {
        $start = hrtime(true);
        try {
            return $step();
        } finally {
            $busy = min((hrtime(true) - $start) / 1000, self::LONGEST_MICROSECONDS);
            usleep((int) ($busy * (1 / self::SHARE - 1)));
        }
    }
}
