<?php

namespace PhpSessions;

/** One session at a time, as PHP asks for it. */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface, \SessionUpdateTimestampHandlerInterface
{
    /*
     * KEYS: data; lock, which holds the owner's token and the server that gave it, or `@` while it is on its way to a
     * waiter; waiters, by the moment until which they are believed to wait; list by which one of them is called.
     * ARGV: token, milliseconds that a lock lives, how (first, again, woken), latest moment, 1 for a session that must
     * exist, server, number of the try.
     *
     * The moment is in milliseconds of the server's clock, as we take it to be: a server that was frozen must not lock for
     * somebody who has gone. A lock that another server gave may have been released there without this one's knowledge.
     * Answer: token, 1 and the data | 0 wait | 2 too many wait | 3 and its clock, too late | 4 no such session.
     */
    private const TAKE = <<<'LUA'
        take.lua
        LUA;

    /*
     * KEYS as above. ARGV: token, what (set, touch, delete, keep, nothing), seconds to live, data, hash of the data that
     * were read (empty without locks), server, number of the try. Whoever has lost the lock writes or deletes only when
     * nobody has it and the data are still those. What is kept is an empty session where there is none.
     * Answer: token, 1 done | 0 refused, the lock was lost | 2 nothing there to touch.
     */
    private const RELEASE = <<<'LUA'
        release.lua
        LUA;

    /** The same answer without locks. */
    private const READ = "return {ARGV[1], 1, redis.call('GET', KEYS[1])}";

    /** What PHP takes from a cookie, but no braces, which decide about a cluster's slot. */
    private const ID = '/^[^\x00-\x20\x7f{}]{1,256}$/D';

    /** For those who look for its cause. */
    public static string $lastFailure = '';

    private ?Store $store = null;
    private string $id = '';
    /** Of the lock that we hold; empty for none. */
    private string $token = '';
    private string|false $data = false;
    private string $made = '';
    private ?StoreFailed $failure = null;
    /** After a failure that the app is not to notice: nothing is read or kept. */
    private bool $isDetached = false;

    public function __construct(private readonly string $file)
    {
    }

    public function open(string $path, string $name): bool
    {
        return true;
    }

    public function create_sid(): string
    {
        return $this->made = session_create_id();
    }

    /**
     * Takes the lock on the way, since PHP reads an id that is valid. What fails is left for `read` to fail again with:
     * after an end here PHP would still give the visitor another id.
     */
    public function validateId(#[\SensitiveParameter] string $id): bool
    {
        if ($id === $this->made || !preg_match(self::ID, $id)) {
            return false;
        }
        try {
            return $this->take($id, mustExist: true);
        } catch (StoreFailed $failure) {
            $this->failure = $failure;
            return true;
        }
    }

    public function read(#[\SensitiveParameter] string $id): string
    {
        $this->made = '';
        if (!preg_match(self::ID, $id)) {
            error_log('php-sessions: a session id that has blanks or braces, or more than 256 characters: this session is not kept');
            $this->isDetached = true;
            return '';
        }
        return $this->guard(function () use ($id): string {
            if ($this->failure !== null) {
                throw $this->failure;
            }
            $this->take($id);
            return (string) $this->data;
        }, '');
    }

    public function write(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        return $this->guard(fn () => $this->release('set', $data), true);
    }

    public function updateTimestamp(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        return $this->guard(fn () => $this->release($this->data === false ? 'set' : 'touch', $data), true);
    }

    public function destroy(#[\SensitiveParameter] string $id): bool
    {
        return $this->guard(fn () => $this->release('delete'), true);
    }

    /** An id that was given out stays known, as with `files`, also where nothing was written. */
    public function close(): bool
    {
        $isClosed = $this->guard(fn () => $this->release($this->data === false ? 'keep' : 'nothing'), true);
        $this->isDetached = false;
        return $isClosed;
    }

    /** Redis removes what has expired. */
    public function gc(int $max): int
    {
        return 0;
    }

    private function store(): Store
    {
        return $this->store ??= new Store($this->file);
    }

    /** Waits for the session, and reads it; whether it is one that may be used. */
    private function take(#[\SensitiveParameter] string $id, bool $mustExist = false): bool
    {
        if ($this->token !== '' && $this->id === $id) {
            return true;
        }
        $this->release('nothing');
        $this->id = $id;
        $store = $this->store();
        $keys = $store->keys($id);
        $token = bin2hex(random_bytes(8));
        if (!$store->settings['locking']) {
            $this->hold($token, $store->script(self::READ, $keys, $token, []));
        }
        $end = microtime(true) + $store->settings['waitSeconds'];
        $ahead = 0;
        for ($how = 'first'; $this->token === '';) {
            $latest = (int) ((microtime(true) + $store->settings['readSeconds']) * 1000) + $ahead;
            $life = $store->settings['lockSeconds'] * 1000;
            $answer = $store->script(self::TAKE, $keys, $token, [$life, $how, $latest, (int) $mustExist]);
            if ($answer[1] === 1) {
                $this->hold($token, $answer);
            } elseif ($answer[1] === 2) {
                throw new StoreFailed('100 requests wait for this session already');
            } elseif ($answer[1] === 4) {
                return false;
            } elseif (microtime(true) > $end) {
                throw new StoreFailed("another request has had the session for more than {$store->settings['waitSeconds']} seconds");
            } elseif ($answer[1] === 3) {
                // Its clock differs from ours, or it was frozen.
                $ahead = (int) $answer[2] - (int) (microtime(true) * 1000);
            } else {
                // A second, since a call may be lost with the one who was called.
                $how = $store->waitFor($keys[3], 1) ? 'woken' : 'again';
            }
        }
        if ($mustExist && $this->data === false) {
            $this->release('nothing');
            return false;
        }
        return true;
    }

    private function hold(string $token, #[\SensitiveParameter] array $answer): void
    {
        $this->token = $token;
        $this->data = $answer[2] ?? false;
    }

    private function release(string $what, #[\SensitiveParameter] string $data = ''): bool
    {
        if ($this->token === '') {
            return true;
        }
        [$token, $this->token] = [$this->token, ''];
        $store = $this->store();
        if ($what === 'nothing' && !$store->settings['locking']) {
            return true;
        }
        $seconds = max(1, (int) ini_get('session.gc_maxlifetime'));
        $before = $store->settings['locking'] ? sha1((string) $this->data) : '';
        $run = fn (string $how): int => $store->script(
            self::RELEASE,
            $store->keys($this->id),
            $token,
            [$how, $seconds, $how === 'set' ? $data : '', $before],
            isRelease: true,
        )[1];
        $done = $run($what);
        if ($done === 2) {
            $done = $run('set');
        }
        if ($done === 0) {
            $life = $store->settings['lockSeconds'];
            throw new StoreFailed("this request has lost its lock, after $life seconds or by a failover, and the session has changed: its own changes are not kept");
        }
        return true;
    }

    /** What a failure comes to: an answer 503, or where that is asked for, a session that is not kept. */
    private function guard(\Closure $step, mixed $instead): mixed
    {
        if ($this->isDetached) {
            return $instead;
        }
        try {
            return $step();
        } catch (StoreFailed $failure) {
            $why = $failure->getMessage();
        }
        $this->token = '';
        $this->failure = null;
        $this->isDetached = true;
        self::$lastFailure = $why;
        error_log("php-sessions: the session store cannot be used: $why");
        if (($this->store?->settings['onStoreError'] ?? 'stop') === 'empty') {
            return $instead;
        }
        unavailable();
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
