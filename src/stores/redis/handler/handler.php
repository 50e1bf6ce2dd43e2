<?php

namespace PhpSessions;

/** Keeps the session of a request, one at a time. PHP calls its methods. */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface, \SessionUpdateTimestampHandlerInterface
{
    /** The ids that PHP accepts from a cookie, but without braces, which would decide about the slot on a cluster. */
    private const ID = '/^[^\x00-\x20\x7f{}]{1,256}$/D';

    /** The cause of the last failure, for php-sessions doctor. */
    public static string $lastFailure = '';

    private ?Store $store = null;
    private string $id = '';
    /** The token of the lock that this request holds, or empty. */
    private string $token = '';
    private string|false $data = false;
    /** An id that was made for this request and that no session has yet. */
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
     * Takes the lock already, since PHP goes on to read a session whose id is valid. A failure is kept for `read` to throw
     * again: if the request ended here, PHP would still give the visitor another id.
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
            error_log('php-sessions: this session is not kept: its id has blanks or braces, or more than 256 characters');
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

    /** An id that was given out stays known even where nothing was written, as with PHP's files. */
    public function close(): bool
    {
        $isClosed = $this->guard(fn () => $this->release($this->data === false ? 'keep' : 'nothing'), true);
        $this->isDetached = false;
        return $isClosed;
    }

    /** Redis removes expired sessions itself. */
    public function gc(int $max): int
    {
        return 0;
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
        $token = bin2hex(random_bytes(8));
        if (!$store->settings['locking']) {
            $this->hold($token, $store->script(Scripts::READ, $keys, $token, []));
        }
        $end = microtime(true) + $store->settings['waitSeconds'];
        $ahead = 0;
        for ($how = 'first'; $this->token === '';) {
            $latest = (int) ((microtime(true) + $store->settings['readSeconds']) * 1000) + $ahead;
            $life = $store->settings['lockSeconds'] * 1000;
            $limit = $store->settings['maxWaiting'];
            $answer = $store->script(Scripts::TAKE, $keys, $token, [$life, $how, $latest, (int) $mustExist, $limit]);
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
        if ($this->isDetached) {
            return $instead;
        }
        try {
            return $step();
        } catch (StoreFailed $failure) {
            $why = $failure->getMessage();
            $isTooMany = $failure->getCode() === StoreFailed::TOO_MANY;
        }
        $this->token = '';
        $this->failure = null;
        $this->isDetached = true;
        self::$lastFailure = $why;
        error_log('php-sessions: ' . ($isTooMany ? 'a request is refused: ' : 'the session store cannot be used: ') . printable($why));
        if (($this->store?->settings['onStoreError'] ?? 'stop') === 'empty') {
            return $instead;
        }
        $isTooMany ? refuse(429, 'Too many requests at once') : refuse();
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** Ends the request with status 503 or 429: a page without the session would treat the visitor as a stranger. */
function refuse(int $status = 503, string $what = 'Service temporarily unavailable'): never
{
    while (ob_get_level() > 0 && ob_end_clean()) {
    }
    if (PHP_SAPI !== 'cli' && !headers_sent()) {
        // The headers belong to the page that is not sent: its type, how long caches may keep it, the cookie of the session.
        $kept = preg_grep('/^Set-Cookie: *+(?!' . preg_quote(session_name(), '/') . '=)/i', headers_list());
        header_remove();
        http_response_code($status);
        header('Retry-After: 5');
        header('Cache-Control: no-store');
        header('Content-Type: text/plain; charset=utf-8');
        array_map(fn (string $cookie) => header($cookie, false), $kept);
        echo "$what. Please try again in a few seconds.\n";
    }
    exit(1);
}
