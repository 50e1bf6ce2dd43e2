<?php
/*
 * The managed session handler of php-sessions: PHP sessions in Redis or Valkey, one server, Sentinel or Cluster.
 *
 * Installed by auto_prepend_file. A request runs two scripts, which on one server are two round trips: one takes the
 * lock and reads, one writes and releases. Who must wait queues in BLPOP and is woken by whoever releases. Keys and
 * bytes of the data are those of phpredis' own handlers. docs/managed-handler.md has the protocol and why each step is
 * safe.
 */

namespace PhpSessions;

/** The store cannot do what it must; the message names the cause and no secret. */
final class StoreFailed extends \Exception
{
}

/** Talks to the store: finds the server, logs in, tries again within bounds. */
final class Connection
{
    private const POOL = 'php-sessions';
    /** What passes while a master is being replaced, or a server has just been started. */
    private const PASSING = '/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|-?MOVED|-?ASK)\b/';
    private const REFUSED = '/^-?(WRONGPASS|NOPERM|OOM|MISCONF|WRONGTYPE|ERR|NOAUTH)\b/';
    /** What says, in several ways, that nobody is logged in: one that is shut out may be answered NOPERM. */
    private const LOGIN = '/NOAUTH|NOPERM|unauthenticated|[Aa]uthentication required/';
    private const FAILOVER_SECONDS = 8;

    public array $store;
    private \Redis|\RedisCluster|null $client = null;
    private string $server = '';
    private bool $isLoggedIn = false;
    private bool $isReread = false;

    public function __construct(private readonly string $file)
    {
        $this->read();
    }

    private function read(): void
    {
        $store = is_readable($this->file) ? include $this->file : null;
        if (!is_array($store) || !isset($store['topology'], $store['servers'])) {
            throw new StoreFailed("{$this->file} cannot be read: restart the app, or run php-sessions doctor");
        }
        $this->store = $store;
    }

    public function isCluster(): bool
    {
        return $this->store['topology'] === 'cluster';
    }

    /** Where we are, for people. */
    public function name(): string
    {
        return $this->server !== '' ? $this->server : implode(', ', array_map(self::address(...), $this->store['servers']));
    }

    /**
     * Runs a script, which must give back $token first: what answers an earlier command is never taken for data.
     * $arguments gets the number of the try as its last one, so that the script knows when it may have run already.
     */
    public function script(string $lua, array $keys, string $token, #[\SensitiveParameter] array $arguments): array
    {
        return $this->attempt(function ($client, int $try) use ($lua, $keys, $token, $arguments): array {
            $all = [...$keys, $token, ...$arguments, $try];
            $answer = $client->evalSha(sha1($lua), $all, count($keys));
            if (!is_array($answer) && str_starts_with((string) $client->getLastError(), 'NOSCRIPT')) {
                $client->clearLastError();
                $answer = $client->eval($lua, $all, count($keys));
            }
            if (is_array($answer) && ($answer[0] ?? null) === $token) {
                return $answer;
            }
            throw new \RedisException($client->getLastError() ?: 'an answer to something else');
        });
    }

    /** Waits until something is in a list; whether something was. */
    public function waitFor(string $list, int $seconds): bool
    {
        return $this->attempt(fn ($client): bool => (bool) $client->blPop([$list], $seconds));
    }

    public function has(string $key): bool
    {
        return $this->attempt(fn ($client): bool => (bool) $client->exists($key));
    }

    private function attempt(\Closure $command): mixed
    {
        $start = microtime(true);
        for ($try = 0;; $try++) {
            try {
                return $command($this->client ??= $this->connect(), $try);
            } catch (\RedisException | \RedisClusterException $error) {
                // Not chained: what it carries along shows the password.
                $why = $error->getMessage();
            }
            $this->disconnect();
            $spent = microtime(true) - $start;
            if (!$this->canTryAgain($why, $try, $spent)) {
                $lacksLogin = $this->store['password'] === null && preg_match(self::LOGIN, $why) && !str_contains($why, 'NOPERM');
                $why = $lacksLogin ? 'NOAUTH the server asks for a password, and the binding has none' : $why;
                throw new StoreFailed("{$this->name()}: $why");
            }
        }
    }

    private function canTryAgain(string $why, int $try, float $spent): bool
    {
        if (!$this->isLoggedIn && $this->store['password'] !== null && preg_match(self::LOGIN, $why)) {
            return $this->isLoggedIn = true;
        }
        $isPassing = preg_match(self::PASSING, $why) === 1;
        if (!$isPassing && $this->reread()) {
            return true;
        }
        if (preg_match(self::REFUSED, $why) && !$isPassing) {
            return false;
        }
        if ($this->store['topology'] === 'single') {
            return $try === 0 && !$isPassing && $spent < $this->store['connectSeconds'] / 2;
        }
        if ($spent > self::FAILOVER_SECONDS) {
            return false;
        }
        if ($try > 0) {
            usleep(100_000);
        }
        $this->forgetMaster();
        return true;
    }

    /** Whether the file says something else by now; opcache may have been told not to look. */
    private function reread(): bool
    {
        if ($this->isReread) {
            return false;
        }
        $this->isReread = true;
        $before = $this->store;
        if (function_exists('opcache_invalidate')) {
            @opcache_invalidate($this->file, true);
        }
        clearstatcache(true, $this->file);
        $this->read();
        $this->isLoggedIn = $this->isLoggedIn && $this->store === $before;
        return $this->store !== $before;
    }

    private function disconnect(): void
    {
        // phpredis 5 would give a late answer to the next command.
        try {
            $this->client?->close();
        } catch (\Throwable) {
        }
        $this->client = null;
    }

    private function connect(): \Redis|\RedisCluster
    {
        $store = $this->store;
        $login = self::login($store);
        if ($this->isCluster()) {
            $seeds = array_map(fn ($server) => ($store['tls'] ? 'tls://' : '') . self::address($server), $store['servers']);
            $more = $store['tls'] ? [$this->certificates('') + ['verify_peer' => true]] : [];
            return new \RedisCluster(null, $seeds, $store['connectSeconds'], $store['readSeconds'], true, $login, ...$more);
        }
        $server = $store['topology'] === 'sentinel' ? $this->findMaster() : $store['servers'][0];
        $this->server = self::address($server);
        $client = $this->open($server, $store['tls'], $store['readSeconds']);
        if ($this->isLoggedIn && !$client->auth($login)) {
            throw new \RedisException($client->getLastError() ?: 'WRONGPASS the login is refused');
        }
        if ($store['database'] > 0 && !$client->select($store['database'])) {
            if (preg_match('/^NOAUTH/', (string) $client->getLastError())) {
                throw new \RedisException('NOAUTH');
            }
            throw new \RedisException("ERR there is no database {$store['database']}");
        }
        return $client;
    }

    private function open(array $server, bool $isTls, float $readSeconds): \Redis
    {
        ['host' => $host, 'port' => $port] = $server;
        $context = $isTls ? ['stream' => $this->certificates($host)] : [];
        $client = new \Redis();
        $said = '';
        // A failed handshake is a warning, which would be in the page.
        set_error_handler(function (int $level, string $message) use (&$said): bool {
            $said = $said === '' ? preg_replace('/^.*?\(\): /', '', $message) : $said;
            return true;
        });
        // Our first command tells whether the connection still is one; an ECHO would cost a round trip.
        $echo = ini_set('redis.pconnect.echo_check_liveness', '0');
        try {
            $seconds = $this->store['connectSeconds'];
            $id = self::POOL . "-{$this->store['database']}";
            if (!$client->pconnect(($isTls ? 'tls://' : '') . $host, $port, $seconds, $id, 0, $readSeconds, $context)) {
                throw new \RedisException($said !== '' ? $said : 'no connection');
            }
        } catch (\RedisException $error) {
            throw new \RedisException($said !== '' ? strtok($said, "\n") : $error->getMessage());
        } finally {
            restore_error_handler();
            ini_set('redis.pconnect.echo_check_liveness', (string) $echo);
        }
        return $client;
    }

    private function certificates(string $host): array
    {
        ['ca' => $ca, 'clientCertificate' => $certificate] = $this->store;
        return array_filter([
            'cafile' => $ca,
            'local_cert' => $certificate,
            // PHP would look for an IPv6 address in brackets in the certificate.
            'peer_name' => str_contains($host, ':') ? $host : null,
        ]);
    }

    /** As phpredis takes it; null for none. */
    private static function login(#[\SensitiveParameter] array $of): string|array|null
    {
        ['user' => $user, 'password' => $password] = $of;
        return $user === null || $password === null ? $password : [$user, $password];
    }

    private static function address(array $server): string
    {
        ['host' => $host, 'port' => $port] = $server;
        return match (true) {
            str_starts_with($host, '/') => $host,
            str_contains($host, ':') => "[$host]:$port",
            default => "$host:$port",
        };
    }

    /** The master that was right the last time, for all workers; asked for again when it has failed. */
    private function findMaster(): array
    {
        $known = is_readable($this->masterFile()) ? json_decode((string) file_get_contents($this->masterFile()), true) : null;
        return isset($known['host'], $known['port']) ? $known : $this->askSentinels();
    }

    private function forgetMaster(): void
    {
        if ($this->store['topology'] === 'sentinel' && is_file($this->masterFile())) {
            @unlink($this->masterFile());
        }
    }

    private function masterFile(): string
    {
        return dirname($this->file) . '/php-sessions-master.json';
    }

    private function askSentinels(): array
    {
        ['masterName' => $name, 'tls' => $isTls] = $this->store['sentinel'];
        $login = self::login($this->store['sentinel']);
        $why = [];
        foreach ($this->store['servers'] as $sentinel) {
            try {
                $client = $this->open($sentinel, $isTls, 1);
                if ($login !== null) {
                    $client->auth($login);
                }
                $found = $client->rawCommand('SENTINEL', 'get-master-addr-by-name', $name);
                if (is_array($found) && count($found) === 2) {
                    return $this->remember(['host' => $found[0], 'port' => (int) $found[1]]);
                }
                $why[] = self::address($sentinel) . ' ' . ($client->getLastError() ?: "knows no master $name");
            } catch (\RedisException $error) {
                $why[] = self::address($sentinel) . ' ' . $error->getMessage();
            }
        }
        throw new \RedisException('no Sentinel names a master: ' . implode('; ', $why));
    }

    private function remember(array $master): array
    {
        $file = $this->masterFile();
        if (is_writable(dirname($file))) {
            $temporary = $file . '.' . getmypid();
            file_put_contents($temporary, json_encode($master));
            rename($temporary, $file);
        }
        return $master;
    }

    /** What var_dump of an app may show. */
    public function __debugInfo(): array
    {
        return [];
    }
}

/** One session at a time, as PHP asks for it. */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface, \SessionUpdateTimestampHandlerInterface
{
    /*
     * KEYS: data; lock, which holds the owner's token, or `@` while it is on its way to a waiter; set of waiters; list by
     * which one of them is woken. ARGV: token, milliseconds that a lock lives, how (first, again, woken), latest moment.
     *
     * The moment is in milliseconds of the server's clock, as we take it to be: a server that was frozen must not lock for
     * somebody who has gone. Answer: token, 1 and the data | 0 wait | 2 too many wait | 3 and its clock, too late.
     */
    private const TAKE = <<<'LUA'
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        if now > tonumber(ARGV[4]) then return {ARGV[1], 3, tostring(now)} end
        local owner = redis.call('GET', KEYS[2])
        if not owner or owner == ARGV[1] or (owner == '@' and ARGV[3] == 'woken') then
            redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
            if ARGV[3] ~= 'first' then redis.call('SREM', KEYS[3], ARGV[1]) end
            return {ARGV[1], 1, redis.call('GET', KEYS[1])}
        end
        if ARGV[3] == 'first' and redis.call('SCARD', KEYS[3]) >= 100 then return {ARGV[1], 2} end
        redis.call('SADD', KEYS[3], ARGV[1])
        redis.call('PEXPIRE', KEYS[3], 1500)
        return {ARGV[1], 0}
        LUA;

    /*
     * KEYS as above. ARGV: token, what (set, touch, delete, nothing), seconds to live, data, hash of the data that were
     * read (empty without locks), number of the try. Whoever has lost the lock writes or deletes only when nobody has it
     * and the data are still those.
     * Answer: token, 1 done | 0 refused, the lock was lost | 2 nothing there to touch.
     */
    private const RELEASE = <<<'LUA'
        local owner = redis.call('GET', KEYS[2])
        local isMine = owner == ARGV[1]
        local failed
        if not isMine and (ARGV[2] == 'set' or ARGV[2] == 'delete') and ARGV[5] ~= '' then
            local data = redis.call('GET', KEYS[1]) or ''
            if ARGV[6] ~= '0' and data == ARGV[4] then return {ARGV[1], 1} end
            if owner or redis.sha1hex(data) ~= ARGV[5] then return {ARGV[1], 0} end
        end
        if ARGV[2] == 'set' then failed = redis.pcall('SETEX', KEYS[1], ARGV[3], ARGV[4])
        elseif ARGV[2] == 'touch' and redis.call('EXPIRE', KEYS[1], ARGV[3]) == 0 then return {ARGV[1], 2}
        elseif ARGV[2] == 'delete' then redis.call('DEL', KEYS[1]) end
        if type(failed) ~= 'table' or not failed.err then failed = nil end
        if isMine and not failed and redis.call('SCARD', KEYS[3]) > 0 then
            redis.call('SET', KEYS[2], '@', 'PX', 1000)
            redis.call('DEL', KEYS[4])
            redis.call('LPUSH', KEYS[4], 1)
            redis.call('PEXPIRE', KEYS[4], 1000)
        elseif isMine then
            redis.call('DEL', KEYS[2])
        end
        return failed or {ARGV[1], 1}
        LUA;

    /** The same answer without locks. */
    private const READ = "return {ARGV[1], 1, redis.call('GET', KEYS[1])}";

    /** What `files` accepts, too. */
    private const ID = '/^[A-Za-z0-9,-]{1,256}$/D';

    /** For those who look for its cause. */
    public static string $lastFailure = '';

    private ?Connection $connection = null;
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
            if ($this->token !== '') {
                return $this->id === $id || $this->connection()->has($this->keyOf($id));
            }
            $this->take($id);
            if ($this->data === false) {
                $this->release('nothing');
            }
            return $this->data !== false;
        } catch (StoreFailed $failure) {
            $this->failure = $failure;
            return true;
        }
    }

    public function read(#[\SensitiveParameter] string $id): string
    {
        $this->made = '';
        if (!preg_match(self::ID, $id)) {
            error_log('php-sessions: a session id with other characters than A-Z, a-z, 0-9, comma and minus: this session is not kept');
            $this->isDetached = true;
            return '';
        }
        return $this->guard(function () use ($id): string {
            if ($this->failure !== null) {
                throw $this->failure;
            }
            if ($this->token !== '' && $this->id !== $id) {
                $this->release('nothing');
            }
            if ($this->token === '') {
                $this->take($id);
            }
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

    public function close(): bool
    {
        $isClosed = $this->guard(fn () => $this->release('nothing'), true);
        $this->isDetached = false;
        return $isClosed;
    }

    /** Redis removes what has expired. */
    public function gc(int $max): int
    {
        return 0;
    }

    private function connection(): Connection
    {
        return $this->connection ??= new Connection($this->file);
    }

    private function keyOf(string $id): string
    {
        $prefix = $this->connection()->isCluster() ? 'PHPREDIS_CLUSTER_SESSION:' : 'PHPREDIS_SESSION:';
        return ($this->connection()->store['prefix'] ?? $prefix) . $id;
    }

    /** On a server alone the lock's name is that of phpredis, so that both exclude each other. */
    private function keys(): array
    {
        $key = $this->keyOf($this->id);
        $slot = $this->connection()->isCluster() ? "{{$key}}" : $key;
        return [$key, "{$slot}_LOCK", "{$slot}_WAIT", "{$slot}_NEXT"];
    }

    private function take(#[\SensitiveParameter] string $id): void
    {
        $this->id = $id;
        $store = $this->connection()->store;
        $token = bin2hex(random_bytes(8));
        if (!$store['locking']) {
            $answer = $this->connection()->script(self::READ, $this->keys(), $token, []);
            $this->hold($token, $answer);
            return;
        }
        $life = $store['lockSeconds'] * 1000;
        $end = microtime(true) + $store['waitSeconds'];
        $ahead = 0;
        for ($how = 'first';;) {
            $latest = (int) (microtime(true) * 1000) + $ahead + $store['readSeconds'] * 1000;
            $answer = $this->connection()->script(self::TAKE, $this->keys(), $token, [$life, $how, $latest]);
            if ($answer[1] === 1) {
                $this->hold($token, $answer);
                return;
            }
            if ($answer[1] === 2) {
                throw new StoreFailed('100 requests wait for this session already');
            }
            if (microtime(true) > $end) {
                throw new StoreFailed("another request has had the session for more than {$store['waitSeconds']} seconds");
            }
            if ($answer[1] === 3) {
                // Its clock differs from ours, or it was frozen.
                $ahead = (int) $answer[2] - (int) (microtime(true) * 1000);
                continue;
            }
            // A second, since a call may be lost with the one who was called.
            $how = $this->connection()->waitFor($this->keys()[3], 1) ? 'woken' : 'again';
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
        $connection = $this->connection();
        if ($what === 'nothing' && !$connection->store['locking']) {
            return true;
        }
        $seconds = max(1, (int) ini_get('session.gc_maxlifetime'));
        $before = $connection->store['locking'] ? sha1((string) $this->data) : '';
        $run = fn (string $how): int => $connection->script(
            self::RELEASE,
            $this->keys(),
            $token,
            [$how, $seconds, $how === 'set' ? $data : '', $before],
        )[1];
        $done = $run($what);
        if ($done === 2) {
            $done = $run('set');
        }
        if ($done === 0) {
            $life = $connection->store['lockSeconds'];
            throw new StoreFailed("this request took longer than the $life seconds that a lock lives, and another one has changed the session: its own changes are not kept");
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
        if (($this->connection?->store['onStoreError'] ?? 'stop') === 'empty') {
            return $instead;
        }
        unavailable();
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** Ends the request: better no page than one that takes the visitor for a stranger. */
function unavailable(): never
{
    while (ob_get_level() > 0 && ob_end_clean()) {
    }
    if (PHP_SAPI !== 'cli' && !headers_sent()) {
        http_response_code(503);
        header('Retry-After: 5');
        header('Content-Type: text/plain; charset=utf-8');
        forget_cookie();
        echo "Service temporarily unavailable. Please try again in a few seconds.\n";
    }
    exit(1);
}

/** Nobody is to get another id by an error page; the app's own cookies stay. */
function forget_cookie(): void
{
    $cookies = array_filter(headers_list(), fn ($header) => stripos($header, 'Set-Cookie:') === 0);
    header_remove('Set-Cookie');
    foreach ($cookies as $cookie) {
        if (!str_starts_with(ltrim(substr($cookie, strlen('Set-Cookie:'))), session_name() . '=')) {
            header($cookie, false);
        }
    }
}

/** Takes the place of the handler that the ini names, unless phpredis is missing: then PHP says so itself. */
function install(): void
{
    if (!extension_loaded('redis') || !in_array(ini_get('session.save_handler'), ['redis', 'rediscluster'], true)) {
        return;
    }
    $isActive = session_status() === PHP_SESSION_ACTIVE;
    if ($isActive) {
        // session.auto_start was quicker.
        session_abort();
    }
    session_set_save_handler(new Handler((string) get_cfg_var('php_sessions.store')), true);
    if ($isActive) {
        session_start();
    }
}

install();
if (get_cfg_var('php_sessions.auto_prepend_file') !== false) {
    require get_cfg_var('php_sessions.auto_prepend_file');
}
