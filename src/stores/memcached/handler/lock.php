<?php

namespace PhpSessions;

use function array_slice, bin2hex, count, max, microtime, min, random_bytes, random_int, usleep;

/** The lock of one session for one request, with the line of those that wait for it. */
final class Lock
{
    /** The time after which a request in front that does not take its turn counts as dead. */
    private const GRACE_SECONDS = 0.2;
    /** A bid lives no longer until it is confirmed: a server that was frozen may give the lock to a request that has gone. */
    private const BID_SECONDS = 5;
    private const MOST_BIDS = 100;
    private const LOOK_SECONDS = 1;

    public readonly string $token;
    private string|int $cas = 0;
    /** When and on which connection it was taken, and whether others waited already. */
    private float $since = 0;
    private int $connection = 0;
    private bool $isAwaited = false;
    private float $looked = 0;

    /** `$own` is what this request says of itself. */
    public function __construct(private readonly Cache $cache, public readonly string $key, private readonly string $own)
    {
        $this->token = bin2hex(random_bytes(5));
    }

    /** Waits for the lock and reads an item on the way; null if there is none. */
    public function take(#[\SensitiveParameter] string $item): ?array
    {
        ['waitSeconds' => $seconds, 'maxWaiting' => $limit] = $this->cache->settings;
        $end = microtime(true) + $seconds;
        $watch = [null, 0];
        $this->looked = microtime(true);
        $this->cache->farewell = $this->gone();
        $command = $this->bid();
        $wait = null;
        for ($bids = 0;;) {
            [$lock, $data] = $this->exchange($command, $item);
            $line = new Line($lock[0] ?? '');
            if ($line->owner === $this->token) {
                [$this->cas, $this->isAwaited] = [$lock[1], $line->waiting !== []];
                [$this->since, $this->connection] = [microtime(true), $this->cache->connection];
                $wait?->end((float) $this->cache->settings['slowWaitSeconds']);
                // A command that was late has given it the lock while it waited.
                return $command === null ? $this->cache->ask(['get', $item])[0] : $data;
            }
            $now = microtime(true);
            if ($line->owner !== '' && !$line->isFree) {
                $wait ??= new Wait($this->own);
                $wait->saw($line->holder(), (int) ($now * 1000));
            }
            if ($now > $end) {
                $this->giveBack();
                throw Wait::over($wait, "others have held this session for $seconds seconds (PHP_SESSIONS_MAX_WAIT)");
            }
            $ahead = $line->ahead($this->token);
            $place = [$line->owner, $line->isFree, $ahead];
            $watch = $watch[0] === $place ? $watch : [$place, $now];
            $idle = $now - $watch[1];
            $isTurn = $ahead === null ? $line->waiting === [] : $ahead === 0 || $idle > $ahead * self::GRACE_SECONDS;
            if ($line->owner === '') {
                $command = ++$bids <= self::MOST_BIDS ? $this->bid() : throw new StoreFailed('the server keeps no lock');
            } elseif ($line->isFree && $isTurn) {
                $command = ['cas', $this->key, $line->takenBy($this->token, $this->mark()), $this->bidSeconds(), $lock[1]];
            } elseif ($ahead === null) {
                $command = count($line->waiting) < $limit
                    ? ['append', $this->key, " {$this->token}"]
                    : throw Wait::over($wait, "$limit requests are already waiting for this session (PHP_SESSIONS_MAX_WAITING)", StoreFailed::TOO_MANY);
            } elseif ($this->keepsOthersOut($line, $now)) {
                $this->giveBack();
                throw refusedForRoom($wait);
            } else {
                $command = null;
                $this->pause($idle, $ahead);
            }
        }
    }

    /** Whether this request waits beside others and keeps further visitors from the workers, which it looks at each second. */
    private function keepsOthersOut(Line $line, float $now): bool
    {
        if (count($line->waiting) < 2 || $now - $this->looked < self::LOOK_SECONDS) {
            return false;
        }
        $this->looked = $now;
        return isPoolFull() && isPoolStillFull();
    }

    /** Sends a command, and reads the lock and the item. */
    private function exchange(?array $command, #[\SensitiveParameter] string $item): array
    {
        $answers = $this->cache->attempt(fn (bool $isAgain): array => [
            // A number counts only on its connection.
            ...($command === null || ($isAgain && $command[0] === 'cas') ? [] : [$command]),
            ['get', $this->key],
            ...($command === null ? [] : [['get', $item]]),
        ]);
        return $command === null ? [$answers[0], null] : array_slice($answers, -2);
    }

    /** The first in the line asks each millisecond at first, then ever less often; the others according to their place. */
    private function pause(float $idle, int $ahead): void
    {
        $milliseconds = min(20, max(1, $idle * 1000 / 8)) * max(1, 2 * $ahead);
        usleep((int) (min(100, $milliseconds) * random_int(750, 1250)));
    }

    /** Keeps the lock for as long as a request may take. Nobody waits for the answer. */
    public function confirm(): void
    {
        if ($this->cache->settings['lockSeconds'] > self::BID_SECONDS) {
            $this->cache->send(['touch', $this->key, $this->cache->settings['lockSeconds']]);
        }
    }

    /** Whether nobody else can have the lock, and the numbers of the connection count. */
    public function isSure(): bool
    {
        return $this->isAlive() && $this->cache->connection === $this->connection;
    }

    /** Whether the lock has not expired, if the server has kept it. */
    public function isAlive(): bool
    {
        return microtime(true) - $this->since < $this->cache->settings['lockSeconds'];
    }

    /** Releases the lock in one write with other commands, whose answers it returns. */
    public function releaseWith(array ...$commands): array
    {
        $own = $this->isAwaited ? $this->passing() : [['delete', $this->key, $this->cas]];
        $answers = $this->cache->ask(...$commands, ...$own);
        $last = $answers[count($answers) - 1];
        try {
            $line = $this->isAwaited || $last ? $last : $this->cache->ask(...$this->passing())[1];
            $this->clear($line);
        } catch (ServerFailed) {
            // What came before is done, and the lock ends by itself.
        }
        return $answers;
    }

    /** Tells those that wait that it is their turn, and reads who they are. */
    private function passing(): array
    {
        return [$this->gone(), ['get', $this->key]];
    }

    /** Says in the lock that this request has ended. */
    private function gone(): array
    {
        return ['append', $this->key, " !{$this->token}"];
    }

    /** Removes a lock that nobody has and nobody waits for any more: PHP's own handler takes it to be held. */
    private function clear(array|bool|null $lock): void
    {
        $line = new Line($lock[0] ?? '');
        if ($line->isFree && $line->waiting === []) {
            $this->cache->ask(['delete', $this->key, $lock[1]]);
        }
    }

    /** The command that releases the lock as it was just read. */
    public function releaseAsRead(array $lock): array
    {
        $line = new Line($lock[0]);
        return $line->waiting === [] ? ['delete', $this->key, $lock[1]] : $this->gone();
    }

    /** Ends without the lock, or releases one that this request may have, where the server works. */
    public function giveBack(): void
    {
        try {
            $this->clear($this->cache->ask(...$this->passing())[1]);
        } catch (ServerFailed) {
        }
    }

    /** Tells whoever waits that this request has gone, if the server hears it. */
    public function leave(): void
    {
        try {
            $this->cache->send($this->gone());
        } catch (ServerFailed) {
        }
        $this->cache->disconnect();
    }

    private function bid(): array
    {
        return ['add', $this->key, $this->mark(), $this->bidSeconds()];
    }

    /** What a lock begins with that this request takes now. */
    private function mark(): string
    {
        return "{$this->token} !" . (int) (microtime(true) * 1000) . $this->own;
    }

    private function bidSeconds(): int
    {
        return min(self::BID_SECONDS, $this->cache->settings['lockSeconds']);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
