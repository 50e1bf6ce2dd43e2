<?php

namespace PhpSessions;

/** Copies the sessions of the store `from` to the store `to`, which keeps what it has. May be stopped and run again. */
final class Copy
{
    private const STEP = 500;

    private int $copied = 0;
    private int $bytes = 0;
    private int $there = 0;
    private int $expired = 0;
    private int $locked = 0;
    private int $refused = 0;
    private readonly float $start;
    private readonly SessionStore $from;
    private readonly SessionStore $to;
    private float $told = 0;

    public function __construct()
    {
        $this->start = microtime(true);
        $this->from = openStore('from');
        $this->to = openStore('to');
    }

    public function run(): array
    {
        $total = $this->from->total();
        $progress = new Progress('copied', $total);
        foreach ($this->from->keys() as $list) {
            foreach (array_chunk($list, self::STEP) as $keys) {
                $this->copy($keys);
                $progress->add(count($keys));
            }
            if (microtime(true) > $this->told + 1) {
                // What counts if it is stopped.
                send($this->answer(isDone: false));
                $this->told = microtime(true);
            }
        }
        $progress->end();
        return $this->answer(isDone: true);
    }

    private function copy(array $keys): void
    {
        $sessions = $this->from->read($keys);
        $isAlive = fn (array $session): bool => $session[1] === null || $session[1] > 0;
        $alive = array_filter($sessions, $isAlive);
        $this->expired += count($sessions) - count($alive);
        // From now on, both stores have this: LockedSession::isCopied knows it.
        $noteOf = fn (int|string $key): string => noteOf($alive[$key][0], (string) $key);
        $added = $this->to->add($alive, array_combine(array_keys($alive), array_map($noteOf, array_keys($alive))));
        foreach ($added as $key) {
            $this->bytes += strlen($alive[$key][0]);
        }
        $this->copied += count($added);
        $others = array_diff_key($alive, array_flip($added));
        $there = $this->to->measure(array_map('strval', array_keys($others)));
        $this->there += count($there);
        $this->refused += count($others) - count($there);
        if ($this->from instanceof FilesSessionStore) {
            $this->locked = count($this->from->locked);
        }
    }

    private function answer(bool $isDone): array
    {
        return [
            'done' => $isDone,
            'copied' => $this->copied,
            'bytes' => $this->bytes,
            'skipped' => [
                'there' => $this->there,
                'expired' => $this->expired,
                'locked' => $this->locked,
                'refused' => $this->refused,
            ],
            'seconds' => round(microtime(true) - $this->start, 1),
        ];
    }
}

answer(fn (): array => (new Copy())->run());
