<?php

namespace PhpSessions;

use function bin2hex, ceil, max, microtime, preg_match, random_bytes, sha1, substr;

/** A session in Redis or Valkey. Its lock has a token of this request; TAKE gets it, RELEASE gives it back. */
final class RedisSession implements LockedSession
{
    /**
     * The ids that PHP accepts from a cookie, without braces, which would decide about the slot on a cluster, and without
     * the ends of the other keys: a visitor must not reach the lock of a session by its name.
     */
    private const ID = '/^(?!.*_(?:LOCK|WAIT|NEXT|PREV|DONE_[0-9a-f]*)$)[^\x00-\x20\x7f{}]{1,256}$/D';

    private ?Store $store = null;
    private string $id = '';
    private array $keys = [];
    /** The token of the lock that this request holds, or empty. */
    private string $token = '';
    /** The token that was sent with TAKE last. */
    private string $asked = '';
    /** What the store has, and the same as PHP is given it. */
    private string|false $data = false;
    private string|false $plain = false;

    /** `$open` gives the store, which all sessions of a request share. */
    public function __construct(private readonly \Closure $open, private readonly Lifetime $lifetime)
    {
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return preg_match(self::ID, $id) === 1;
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        [$this->id, $store] = [$id, $this->store()];
        $this->asked = $token = bin2hex(random_bytes(8));
        $keys = $this->keys = $store->keys($id);
        if (!$store->settings['locking']) {
            $this->hold($token, $store->script(Scripts::READ, $keys, $token, []));
        }
        $end = microtime(true) + $store->settings['waitSeconds'];
        $ahead = 0;
        $own = Holder::own($id);
        $wait = null;
        for ($how = 'first'; $this->token === '';) {
            $latest = (int) ((microtime(true) + $store->settings['readSeconds']) * 1000) + $ahead;
            $life = $store->settings['lockSeconds'] * 1000;
            $limit = $store->settings['maxWaiting'];
            try {
                $answer = $store->script(Scripts::TAKE, $keys, $token, [$life, $how, $latest, (int) $mustExist, $limit, $own]);
            } catch (StoreFailed $failure) {
                if ($failure->getCode() === StoreFailed::TOO_LARGE) {
                    $this->token = $token;
                    $this->release('nothing');
                }
                throw $failure;
            }
            if (isset($answer[4])) {
                $wait ??= new Wait($own);
                $wait->saw($answer[3], $answer[4]);
            }
            if ($answer[1] === 1) {
                $this->hold($token, $answer);
            } elseif ($answer[1] === 2) {
                $this->disown($token);
                $why = "$limit requests are already waiting for this session (PHP_SESSIONS_MAX_WAITING)";
                $left = ceil($answer[2] / 1000);
                throw Wait::over($wait, "$why; the lock of the request that holds it ends in $left seconds at most", StoreFailed::TOO_MANY);
            } elseif ($answer[1] === 4) {
                $this->disown($token);
                return false;
            } elseif (microtime(true) > $end) {
                $this->disown($token);
                $seconds = $store->settings['waitSeconds'];
                throw Wait::over($wait, "others have held this session for $seconds seconds (PHP_SESSIONS_MAX_WAIT)");
            } elseif ($answer[1] === 3) {
                // The server's clock differs from the one here, or the server was frozen.
                $ahead = (int) $answer[2] - (int) (microtime(true) * 1000);
            } elseif ($how !== 'first' && $answer[2] > 1 && isPoolFull() && isPoolStillFull()) {
                $this->disown($token);
                throw refusedForRoom($wait);
            } else {
                // For a second only: if a called request dies, its call is lost.
                $how = $store->waitFor($keys[3], 1) ? 'woken' : 'again';
            }
        }
        $wait?->end((float) $store->settings['slowWaitSeconds']);
        if ($mustExist && $this->data === false) {
            $this->release('nothing');
            return false;
        }
        return true;
    }

    public function data(): string|false
    {
        return $this->plain;
    }

    public function note(): ?string
    {
        return $this->store()->get($this->noteKey());
    }

    public function isCopied(string $note): bool
    {
        return $this->data !== false && noteOf($this->data, $this->id) === $note;
    }

    /** Beside the lock. */
    private function noteKey(): string
    {
        return substr($this->keys[1], 0, -4) . 'PREV';
    }

    public function holds(): bool
    {
        return $this->token !== '';
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        [$token, $this->token] = [$this->token, ''];
        if ($token === '') {
            return;
        }
        $store = $this->store();
        if ($what === 'nothing' && !$store->settings['locking']) {
            return;
        }
        $seconds = max(1, $this->lifetime->seconds($this->keys[0], $store->settings['firstSeconds'] ?? 0));
        $how = $what;
        // Computing the hash takes longest here, and only a request that has lost its lock is asked for it.
        $before = $store->settings['locking'] ? '?' : '';
        [$script, $keys] = $note === null ? [Scripts::RELEASE, $this->keys] : [Scripts::releaseWithNote(), [...$this->keys, $this->noteKey()]];
        do {
            $arguments = [$how, $seconds, $how === 'set' ? $data : '', $before];
            $done = $store->script($script, $keys, $token, $arguments, isRelease: true, note: $note)[1];
            if ($done === 2) {
                $how = 'set';
            } elseif ($done === 4) {
                $before = sha1((string) $this->data);
            }
        } while ($done === 2 || $done === 4);
        if ($done === 3) {
            $why = 'the connection was lost while the session was being written, and this request no longer has the lock';
            throw new StoreFailed("$why: nobody knows whether its changes are kept");
        }
        if ($done === 0) {
            $life = $store->settings['lockSeconds'];
            $why = "this request lost its lock, after $life seconds or in a failover, and the session has changed since";
            throw new StoreFailed("$why: the changes of this request are not kept");
        }
        if ($what === 'set') {
            $this->data = $this->plain = $data;
        }
    }

    public function forget(): void
    {
        $this->token = '';
    }

    public function recover(): void
    {
        $this->store?->disconnect();
        $this->token = $this->token ?: $this->asked;
        $this->release('nothing');
    }

    public function onStoreError(): string
    {
        return $this->store?->settings['onStoreError'] ?? 'stop';
    }

    private function store(): Store
    {
        return $this->store ??= ($this->open)();
    }

    /** Ends a request without the lock, so that a TAKE that arrives later does not lock for nobody. */
    private function disown(string $token): void
    {
        if ($this->store()->mayArriveLate($token)) {
            $this->token = $token;
            $this->release('nothing');
        }
    }

    private function hold(string $token, #[\SensitiveParameter] array $answer): void
    {
        $this->token = $token;
        $this->data = $answer[2] ?? false;
        $this->lifetime->note($this->keys[0], $this->data);
        $this->plain = $this->data === false ? false : uncompress($this->data);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
