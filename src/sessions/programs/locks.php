<?php

namespace PhpSessions;

/** Locks of sessions: how many, and those that are held longest. */
final class Locks
{
    private const LISTED = 100;

    private int $count = 0;
    private int $waiting = 0;
    private array $longest = [];

    public function __construct(private readonly bool $hasIds)
    {
    }

    /** A lock, the milliseconds by the clock that has written it, and the seconds until it ends. */
    public function add(string $id, string $text, int $now, ?float $left, int $waiting): void
    {
        $this->count++;
        $this->waiting += $waiting;
        ['since' => $since] = $holder = Holder::read($text);
        unset($holder['since']);
        $this->longest[] = $holder + [
            'heldSeconds' => $since === null ? null : max(0, $now - $since) / 1000,
            'endsInSeconds' => $left,
            'waiting' => $waiting,
            'id' => $this->hasIds ? $id : null,
        ];
        if (count($this->longest) >= 2 * self::LISTED) {
            $this->sort();
        }
    }

    public function answer(): array
    {
        $this->sort();
        return ['time' => time(), 'locks' => $this->count, 'waiting' => $this->waiting, 'longest' => $this->longest];
    }

    /** Locks with an unknown start come after the others, sorted by their end. */
    private function sort(): void
    {
        $order = fn (array $lock): array => [-($lock['heldSeconds'] ?? -1), $lock['endsInSeconds'] ?? INF];
        usort($this->longest, fn (array $a, array $b): int => $order($a) <=> $order($b));
        array_splice($this->longest, self::LISTED);
    }
}

answer(function (): array {
    $locks = new Locks(Asked::$question['ids']);
    match (Asked::$question['stores']['main']['kind']) {
        'redis' => addRedisLocks($locks, new RedisSessionStore('main')),
        'files' => addFilesLocks($locks, new FilesSessionStore('main')),
        'memcached' => addMemcachedLocks($locks, new MemcachedSessionStore('main')),
    };
    return $locks->answer();
});
