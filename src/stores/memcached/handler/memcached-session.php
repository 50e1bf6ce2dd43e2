<?php

namespace PhpSessions;

use function array_slice, max, min, preg_match, str_contains, strlen, time;

/** A session in Memcached. It is written only if it is still as it was read, whatever became of the lock. */
final class MemcachedSession implements LockedSession
{
    /** The ids that PHP accepts from a cookie, without the names of locks: a visitor must not reach the lock of a session. */
    private const ID = '/^(?!lock\.|prev\.)[^\x00-\x20\x7f]{1,256}$/D';
    private const KEY_BYTES = 250;
    /** How long a finished request tries to keep its changes. */
    private const PATIENCE_SECONDS = 2.0;
    private const TRIES = 3;
    /** More is a moment to the server, in seconds since 1970. */
    private const LONGEST_SECONDS = 30 * 86400;
    private const LAST_MOMENT = 0x7fffffff;

    private ?Cache $cache = null;
    private string $id = '';
    private string $key = '';
    /** The lock that was asked for last; null without locks. */
    private ?Lock $lock = null;
    private bool $isHeld = false;
    private string|false $data = false;
    /** The number of the last change of what was read. */
    private string|int $cas = 0;
    /** What is kept beside the session. */
    private string $noteKey = '';
    private ?string $note = null;

    /** `$open` gives the server, on the connection that all sessions of a request share. */
    public function __construct(private readonly \Closure $open, private readonly Lifetime $lifetime)
    {
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return preg_match(self::ID, $id) === 1;
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        $this->cache ??= ($this->open)();
        ['prefix' => $prefix, 'locking' => $isLocking] = $this->cache->settings;
        if (strlen("{$prefix}lock.$id") > self::KEY_BYTES) {
            $why = 'the id of this session is too long: a key in Memcached has at most 250 bytes';
            return $mustExist ? false : throw new StoreFailed($why, StoreFailed::NAMELESS);
        }
        [$this->id, $this->key, $this->noteKey, $this->data] = [$id, "$prefix$id", "{$prefix}prev.$id", false];
        $this->lock = $isLocking ? new Lock($this->cache, "{$prefix}lock.$id", Holder::own($id)) : null;
        try {
            $found = $this->lock === null
                ? $this->cache->attempt(fn () => [['get', $this->key]])[0]
                : $this->lock->take($this->key);
            [$this->data, $this->cas] = $found ?? [false, 0];
            $this->lifetime->note($this->key, $this->data);
            $this->isHeld = true;
            if ($mustExist && $this->data === false) {
                $this->release('nothing');
                return false;
            }
            $this->lock?->confirm();
        } catch (ServerFailed $failure) {
            // It may be the owner already, or may be in a moment.
            $this->isHeld = false;
            $failure->getCode() === ServerFailed::TOO_LARGE ? $this->lock?->giveBack() : $this->lock?->leave();
            throw self::storeFailed($failure);
        }
        return true;
    }

    public function data(): string|false
    {
        return $this->data;
    }

    public function note(): ?string
    {
        try {
            return $this->cache->ask(['get', $this->noteKey])[0][0] ?? null;
        } catch (ServerFailed $failure) {
            throw self::storeFailed($failure);
        }
    }

    public function isCopied(string $note): bool
    {
        return $this->data !== false && noteOf($this->data, $this->id) === $note;
    }

    private static function storeFailed(ServerFailed $failure): StoreFailed
    {
        $why = $failure->getMessage();
        return new StoreFailed($why, str_contains($why, Protocol::TOO_LARGE) ? StoreFailed::TOO_LARGE : StoreFailed::AWAY);
    }

    /** A command, and those that keep the note. */
    private function withNote(?array $command): array
    {
        if ($command === null || $this->note === null) {
            return $command === null ? [] : [$command];
        }
        $note = [$this->noteKey, $this->note, $this->expiry()];
        return $command[0] === 'delete'
            ? [$command, ['delete', $this->noteKey]]
            : [$command, ['add', ...$note], ['replace', ...$note]];
    }

    public function holds(): bool
    {
        return $this->isHeld;
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        if (!$this->isHeld) {
            return;
        }
        $this->isHeld = false;
        $this->note = $note;
        $this->cache->limit(true);
        if ($what === 'touch') {
            $data = (string) $this->data;
        }
        try {
            if ($this->lock === null) {
                $this->overwrite($what, $data);
            } elseif (!$this->lock->isSure() || !$this->write($what, $data)) {
                $this->writeAfterAll($what, $data);
            }
        } catch (ServerFailed $failure) {
            $this->lock?->leave();
            if ($what !== 'nothing') {
                throw self::storeFailed($failure);
            }
        } finally {
            $this->cache->limit(false);
        }
        if ($what === 'set') {
            $this->data = $data;
        }
    }

    /** Whether it was done: not if the data are others than those that were read, or the connection was lost. */
    private function write(string $what, #[\SensitiveParameter] string $data): bool
    {
        $command = $this->command($what, $data, $this->data, $this->cas);
        try {
            $answers = $this->lock->releaseWith(...$this->withNote($command));
            return $command === null || $answers[0] || $what === 'keep';
        } catch (ServerFailed $failure) {
            $isFinal = Cache::isSilence($failure) || $failure->getCode() === ServerFailed::REFUSED;
            return $isFinal ? throw $failure : false;
        }
    }

    /**
     * The lock has ended, the connection was lost, or the data are not as they were read. They are written if this request
     * still has the lock or nobody has, and nobody has changed them.
     */
    private function writeAfterAll(string $what, #[\SensitiveParameter] string $data): void
    {
        $isOurs = false;
        for ($try = 0; $try < self::TRIES; $try++) {
            // The data first: while this request has the lock, nobody has ended the session before.
            [$found, $lock] = $this->cache->attempt(fn () => [['get', $this->key], ['get', $this->lock->key]], self::PATIENCE_SECONDS);
            [$now, $cas] = $found ?? [false, 0];
            $owner = (new Line($lock[0] ?? ''))->owner;
            $isOurs = $owner === $this->lock->token;
            $isDone = match ($what) {
                'nothing' => true,
                'keep' => $now !== false,
                'delete' => $now === false,
                default => $now === $data,
            };
            // Gone before the lock would have expired: the server has forgotten the session, nobody ended it.
            $isForgotten = $now === false && ($isOurs || $this->lock->isAlive());
            if (!$isDone && !(($isForgotten || $now === $this->data) && ($isOurs || $owner === ''))) {
                break;
            }
            $command = $isDone ? null : $this->command($what, $data, $now, $cas);
            $commands = [...$this->withNote($command), ...($isOurs ? [$this->lock->releaseAsRead($lock)] : [])];
            try {
                if ($commands === [] || $this->cache->ask(...$commands)[0] || $isDone) {
                    return;
                }
            } catch (ServerFailed $failure) {
                if (Cache::isSilence($failure) || $failure->getCode() === ServerFailed::REFUSED || $try + 1 === self::TRIES) {
                    throw $failure;
                }
            }
        }
        $isOurs && $this->cache->ask($this->lock->releaseAsRead($lock));
        $life = $this->cache->settings['lockSeconds'];
        $why = "this request lost its lock, after $life seconds or because the server forgot it, and the session has changed since";
        throw new StoreFailed("$why: the changes of this request are not kept");
    }

    /** Without locks the last one wins. `set` of Memcached would delete the earlier session where the new one is too large. */
    private function overwrite(string $what, #[\SensitiveParameter] string $data): void
    {
        $add = ['add', $this->key, $data, $this->expiry()];
        $replace = ['replace', ...array_slice($add, 1)];
        $commands = match ($what) {
            'nothing' => [],
            'keep' => [$add],
            'delete' => [['delete', $this->key]],
            'touch' => [['touch', $this->key, $this->expiry()], $add],
            default => $this->data === false ? [$add, $replace, $add] : [$replace, $add, $replace],
        };
        foreach ($commands as $command) {
            if ($this->cache->attempt(fn () => $this->withNote($command), self::PATIENCE_SECONDS)[0]) {
                return;
            }
        }
    }

    /** The command for data that are these now; null where there is nothing to do. */
    private function command(string $what, #[\SensitiveParameter] string $data, string|false $now, string|int $cas): ?array
    {
        $isThere = $now !== false;
        return match ($what) {
            'nothing' => null,
            'delete' => $isThere ? ['delete', $this->key, $cas] : null,
            'touch' => $isThere ? ['touch', $this->key, $this->expiry()] : ['add', $this->key, $data, $this->expiry()],
            default => $isThere ? ['cas', $this->key, $data, $this->expiry(), $cas] : ['add', $this->key, $data, $this->expiry()],
        };
    }

    /** How long the session lives, as PHP's own handler says it: 0 is for ever. */
    private function expiry(): int
    {
        $seconds = $this->lifetime->seconds($this->key, $this->cache->settings['firstSeconds'] ?? 0);
        return $seconds > self::LONGEST_SECONDS ? min(self::LAST_MOMENT, time() + $seconds) : $seconds;
    }

    public function forget(): void
    {
        $this->isHeld = false;
    }

    public function recover(): void
    {
        $this->isHeld = false;
        $this->cache?->disconnect();
        $this->lock?->giveBack();
    }

    public function onStoreError(): string
    {
        return $this->cache?->settings['onStoreError'] ?? 'stop';
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
