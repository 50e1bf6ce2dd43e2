<?php

namespace PhpSessions;

/**
 * Keeps the session of a request, one at a time. PHP calls its methods.
 *
 * It has no `updateTimestamp`: PHP then calls `write`, which compares. PHP would go on to call such a method after an app has
 * set six functions of its own, and so it does with `validateId`.
 */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface
{
    /**
     * The ids that PHP accepts from a cookie, without braces, which would decide about the slot on a cluster, and without
     * the ends of the other keys: a visitor must not reach the lock of a session by its name.
     */
    private const ID = '/^(?!.*_(?:LOCK|WAIT|NEXT|DONE_[0-9a-f]*)$)[^\x00-\x20\x7f{}]{1,256}$/D';

    /** The cause of the last failure, for php-sessions doctor. */
    public static string $lastFailure = '';

    private ?Store $store = null;
    private string $id = '';
    /** The token of the lock that this request holds, or empty. */
    private string $token = '';
    /** The token that was sent with TAKE last. */
    private string $asked = '';
    /** The process that took the lock. */
    private int $process = 0;
    /** What the store has, and the same as PHP is given it. */
    private string|false $data = false;
    private string $plain = '';
    /** An id that was made for this request and that no session has yet. */
    private string $made = '';
    private ?StoreFailed $failure = null;
    /** After a failure that the app is not to notice: nothing is read or kept. */
    private bool $isDetached = false;
    /** Whether PHP has opened the session here, and not with a handler of the app. */
    private bool $isOpen = false;
    /** Whether a step has begun and not ended. */
    private bool $isWorking = false;
    /** Whether `finish` is called at the end, and whether it has been. */
    private bool $isRegistered = false;
    private bool $isFinished = false;

    public function __construct(private readonly string $file)
    {
    }

    public function open(string $path, string $name): bool
    {
        $this->isOpen = true;
        if (!$this->isRegistered && \function_exists('register_shutdown_function')) {
            $this->isRegistered = true;
            // The first one is called among the app's, and puts the second one behind them.
            register_shutdown_function(fn () => register_shutdown_function($this->finish(...)));
        }
        if (!$this->isFinished) {
            Buffer::begin();
        }
        return true;
    }

    public function create_sid(): string
    {
        return $this->made = session_create_id();
    }

    /**
     * Takes the lock already, since PHP goes on to read a session whose id is valid. A failure is kept for `read` to throw
     * again: if the request ended here, PHP would still give the visitor another id.
     */
    public function validateId(#[\SensitiveParameter] string $id): bool
    {
        if (!$this->isOpen) {
            return $id !== $this->made;
        }
        if ($id === $this->made || !preg_match(self::ID, $id)) {
            return false;
        }
        try {
            return $this->attempt(fn () => $this->take($id, mustExist: true));
        } catch (StoreFailed $failure) {
            $this->failure = $failure;
            return true;
        }
    }

    public function read(#[\SensitiveParameter] string $id): string
    {
        $this->made = '';
        if (!preg_match(self::ID, $id)) {
            report('this session is not kept: its id has blanks or braces, more than 256 characters, or the end of another key');
            $this->isDetached = true;
            return '';
        }
        return $this->guard(function () use ($id): string {
            if ($this->failure !== null) {
                throw $this->failure;
            }
            $this->take($id);
            return $this->plain;
        }, '');
    }

    public function write(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        return $this->guard(fn () => $this->save($id, $data), true);
    }

    public function destroy(#[\SensitiveParameter] string $id): bool
    {
        return $this->guard(function () use ($id): bool {
            if ($this->isFinished) {
                $this->take($id);
            }
            return $this->release('delete');
        }, true);
    }

    /** An id that was given out stays known even where nothing was written, as with PHP's files. */
    public function close(): bool
    {
        $isClosed = $this->guard($this->releaseAsRead(...), true);
        $this->isOpen = false;
        $this->isDetached = false;
        Buffer::end();
        return $isClosed;
    }

    /** Redis removes expired sessions itself. */
    public function gc(int $max): int
    {
        return 0;
    }

    /**
     * Writes the session after the app's shutdown functions, while a failure can still be a status 503. It stays open, as with
     * PHP's files: PHP writes it once more at its very end, and what destructors and output callbacks have changed.
     */
    public function finish(): void
    {
        if ($this->isWorking) {
            $this->recover();
        } elseif ($this->isOpen && session_status() === PHP_SESSION_ACTIVE) {
            // Where memory is short already, PHP's own try at the very end may fail, but without the lock.
            $data = isOutOfMemory() ? null : encodeSession();
            $this->guard(fn () => $data === null ? $this->releaseAsRead() : $this->save($this->id, $data), true);
        } else {
            // PHP does not call `close` after an exception, as for a session that cannot be serialized.
            $this->guard($this->releaseAsRead(...), true);
        }
        $this->isFinished = true;
    }

    /** An app's shutdown function that calls exit keeps PHP from calling those behind it. */
    public function __destruct()
    {
        if (!$this->isFinished) {
            $this->finish();
        }
    }

    /**
     * A fatal error, for example too little memory, has ended a step. PHP believes this handler to be busy, and would say so in
     * the page if it had to close the session later. A reply may be unread.
     */
    private function recover(): void
    {
        quietly(session_abort(...));
        $this->store?->disconnect();
        $this->token = $this->token ?: $this->asked;
        $this->guard(fn () => $this->release('nothing'), true);
        $this->isDetached = true;
    }

    private function store(): Store
    {
        return $this->store ??= new Store($this->file);
    }

    /** Waits for the lock of a session and reads the session. Returns false where it must exist and does not. */
    private function take(#[\SensitiveParameter] string $id, bool $mustExist = false): bool
    {
        if ($this->token !== '' && $this->id === $id) {
            return true;
        }
        $this->release('nothing');
        $this->id = $id;
        $store = $this->store();
        $keys = $store->keys($id);
        $this->asked = $token = bin2hex(random_bytes(8));
        $this->process = processId();
        if (!$store->settings['locking']) {
            $this->hold($token, $store->script(Scripts::READ, $keys, $token, []));
        }
        $end = microtime(true) + $store->settings['waitSeconds'];
        $ahead = 0;
        for ($how = 'first'; $this->token === '';) {
            $latest = (int) ((microtime(true) + $store->settings['readSeconds']) * 1000) + $ahead;
            $life = $store->settings['lockSeconds'] * 1000;
            $limit = $store->settings['maxWaiting'];
            try {
                $answer = $store->script(Scripts::TAKE, $keys, $token, [$life, $how, $latest, (int) $mustExist, $limit]);
            } catch (StoreFailed $failure) {
                if ($failure->getCode() === StoreFailed::TOO_LARGE) {
                    $this->token = $token;
                    $this->release('nothing');
                }
                throw $failure;
            }
            if ($answer[1] === 1) {
                $this->hold($token, $answer);
            } elseif ($answer[1] === 2) {
                $this->disown($token);
                $why = "$limit requests are already waiting for this session (PHP_SESSIONS_MAX_WAITING)";
                $left = ceil($answer[2] / 1000);
                throw new StoreFailed("$why; the lock of the request that holds it ends in $left seconds at most", StoreFailed::TOO_MANY);
            } elseif ($answer[1] === 4) {
                $this->disown($token);
                return false;
            } elseif (microtime(true) > $end) {
                $this->disown($token);
                $seconds = $store->settings['waitSeconds'];
                throw new StoreFailed("others have held this session for $seconds seconds (PHP_SESSIONS_MAX_WAIT)");
            } elseif ($answer[1] === 3) {
                // The server's clock differs from the one here, or the server was frozen.
                $ahead = (int) $answer[2] - (int) (microtime(true) * 1000);
            } else {
                // For a second only: a request that dies after it was called takes the call with it.
                $how = $store->waitFor($keys[3], 1) ? 'woken' : 'again';
            }
        }
        if ($mustExist && $this->data === false) {
            $this->release('nothing');
            return false;
        }
        return true;
    }

    /** Ends a request without the lock: a TAKE of it that arrives later is not to lock for nobody. */
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
        $this->plain = uncompress((string) $this->data);
    }

    /** Writes the session and releases its lock. */
    private function save(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        $isSame = $this->data !== false && $data === $this->plain;
        if ($this->token === '' && $this->isFinished) {
            return $isSame || $this->saveAgain($id, $data);
        }
        $this->release($isSame ? 'touch' : 'set', $data);
        if (!$isSame) {
            $this->data = $this->plain = $data;
        }
        return true;
    }

    /** Writes what was changed after `finish`, unless another request has changed the session since. */
    private function saveAgain(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        $written = $this->data;
        $this->take($id);
        if ($this->data === $written) {
            return $this->release('set', $data);
        }
        $this->release('nothing');
        throw new StoreFailed('another request has changed the session since: what was changed after the page is not kept');
    }

    /** Releases the lock of a session that is not written. */
    private function releaseAsRead(): bool
    {
        return $this->release($this->data === false ? 'keep' : 'nothing');
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
        $seconds = max(1, (int) getIni('session.gc_maxlifetime'));
        $before = $store->settings['locking'] ? sha1((string) $this->data) : '';
        $run = fn (string $how): int => $store->script(
            Scripts::RELEASE,
            $store->keys($this->id),
            $token,
            [$how, $seconds, $how === 'set' ? $data : '', $before],
            isRelease: true,
        )[1];
        $done = $run($what);
        if ($done === 2) {
            $done = $run('set');
        }
        if ($done === 3) {
            $why = 'the connection was lost while the session was being written, and this request has no lock any more';
            throw new StoreFailed("$why: whether its changes are kept is not known");
        }
        if ($done === 0) {
            $life = $store->settings['lockSeconds'];
            $why = "this request lost its lock, after $life seconds or in a failover, and the session has changed since";
            throw new StoreFailed("$why: the changes of this request are not kept");
        }
        return true;
    }

    /** Runs a step. After a failure the request ends with status 503, or where that was chosen, goes on with `$instead`. */
    private function guard(\Closure $step, mixed $instead): mixed
    {
        if ($this->token !== '' && $this->process !== processId()) {
            // A child of the process that has the session open. Its connection is the parent's, and must not be closed either.
            $this->token = '';
            $this->isDetached = true;
        }
        if ($this->isDetached) {
            return $instead;
        }
        try {
            return $this->attempt($step);
        } catch (StoreFailed $failure) {
            $why = $failure->getMessage();
            $isTooMany = $failure->getCode() === StoreFailed::TOO_MANY;
        } catch (\Throwable $failure) {
            // A function that the hoster has forbidden, for example.
            $why = $failure->getMessage() . ' in line ' . $failure->getLine();
            $isTooMany = false;
        }
        $this->token = '';
        $this->failure = null;
        $this->isDetached = true;
        self::$lastFailure = $why;
        report(($isTooMany ? 'a request is refused: ' : 'the session store cannot be used: ') . printable($why));
        if (($this->store?->settings['onStoreError'] ?? 'stop') === 'empty' || $this->isFinished || $this->isCalledLast()) {
            return $instead;
        }
        $isTooMany ? refuse(429, 'Too many requests at once') : refuse();
    }

    /** Runs a step so that no error handler of the app is called in it. */
    private function attempt(\Closure $step): mixed
    {
        $this->isWorking = true;
        try {
            return quietly($step);
        } finally {
            $this->isWorking = false;
        }
    }

    /** Whether PHP itself has called, at its very end: the page has been sent, and to exit would be a warning in it. */
    private function isCalledLast(): bool
    {
        $calls = debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS);
        $first = end($calls);
        return ($first['class'] ?? '') === self::class && in_array($first['function'], ['write', 'close'], true);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
