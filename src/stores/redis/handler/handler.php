<?php
/*
 * The managed session handler of php-sessions: PHP sessions in Redis or Valkey, one server, Sentinel or Cluster.
 *
 * Installed by auto_prepend_file. A request runs two scripts, which are its two round trips: one takes the lock and
 * reads, one writes and releases. Who must wait queues in BLPOP and is woken by whoever releases. Keys and
 * bytes of the data are those of phpredis' own handlers. docs/managed-handler.md has the protocol and why each step is
 * safe.
 */

namespace PhpSessions;

/** The store cannot do what it must; the message names the cause and no secret. */
final class StoreFailed extends \Exception
{
}

/** One server, over a connection that stays open from request to request and that nobody else in this PHP uses. */
final class Connection
{
    private const POOL = 'php-sessions';
    /** As the code of an exception: the connection was lost, and the command may have run. */
    public const LOST = 1;
    /** What says, in several ways, that nobody is logged in: one that is shut out may be answered NOPERM. */
    private const LOGIN = '/NOAUTH|NOPERM|unauthenticated|[Aa]uthentication required|user executing the script/';

    private ?\Redis $client = null;
    private bool $mustLogIn = false;

    /** `$seconds` are those to connect and to wait for an answer; `$certificates` are null without TLS. */
    public function __construct(
        private readonly array $server,
        private readonly ?array $certificates,
        #[\SensitiveParameter] private readonly string|array|null $login,
        private readonly array $seconds,
    ) {
    }

    /**
     * Runs a command on phpredis' client, and closes the connection where that throws: a late answer would be given to
     * the next command. Connections that are kept are logged in already, so it logs in only where the server asks for it.
     */
    public function run(\Closure $command): mixed
    {
        $start = microtime(true);
        try {
            return $command($this->client ??= $this->connect());
        } catch (\RedisException $error) {
            $why = self::plain($error->getMessage());
            $isLost = $this->client !== null && !preg_match('/^[A-Z]{3,} /', $why);
            $this->close();
        }
        if ($this->mustLogIn || !preg_match(self::LOGIN, $why)) {
            // phpredis says the same where a server is silent and where it hangs up.
            $isSilent = $isLost && microtime(true) - $start > $this->seconds[1] * 0.9;
            // Not chained: what an exception carries along shows the password.
            throw new \RedisException($isSilent ? "no answer for {$this->seconds[1]} seconds" : $why, $isLost ? self::LOST : 0);
        }
        if ($this->login === null) {
            $isShutOut = str_contains($why, 'NOPERM');
            throw new \RedisException($isShutOut ? $why : 'NOAUTH the server asks for a password, and the binding has none');
        }
        $this->mustLogIn = true;
        return $this->run($command);
    }

    /** The server's own words, without those that Redis puts round them, before 7 in front; and what to do, where that helps. */
    private static function plain(string $why): string
    {
        $why = preg_replace('/^ERR Error running script.*?: -?(?=[A-Z]{3,} )/', '', $why);
        $why = preg_replace('/,? (script: [0-9a-f]{40}|with args beginning with:).*/', '', $why);
        return $why . match (1) {
            preg_match('/^NOPERM|user executing the script/', $why) => '; see php-sessions explain --acl',
            preg_match('/^ERR unknown command .eval/i', $why) => ': this handler needs scripts, PHP_SESSIONS_HANDLER=native does not',
            default => '',
        };
    }

    private function connect(): \Redis
    {
        ['host' => $host, 'port' => $port] = $this->server;
        [$toConnect, $toRead] = $this->seconds;
        $scheme = $this->certificates === null ? '' : 'tls://';
        $context = $this->certificates === null ? [] : ['stream' => $this->certificates];
        // Otherwise a connection of the app, logged in as somebody else, would be taken for ours.
        if (!str_contains($pattern = (string) ini_get('redis.pconnect.pool_pattern'), 'i')) {
            set('redis.pconnect.pool_pattern', "{$pattern}i");
        }
        // Our first command tells whether the connection still is one; an ECHO would cost a round trip.
        $echo = set('redis.pconnect.echo_check_liveness', '0');
        $client = new \Redis();
        $said = '';
        // A failed handshake is a warning, which would be in the page; the second line of its text has the cause.
        set_error_handler(function (int $level, string $message) use (&$said): bool {
            $said = $said === '' ? preg_replace(['/^.*?\(\): /', '/\s+/'], ['', ' '], $message) : $said;
            return true;
        });
        try {
            if (!$client->pconnect($scheme . $host, $port, $toConnect, self::POOL, 0, $toRead, $context)) {
                throw new \RedisException('no connection');
            }
        } catch (\RedisException $error) {
            throw new \RedisException($said !== '' ? $said : $error->getMessage());
        } finally {
            restore_error_handler();
            set('redis.pconnect.echo_check_liveness', (string) $echo);
        }
        if ($this->mustLogIn && !$client->auth($this->login)) {
            throw new \RedisException($client->getLastError() ?: 'WRONGPASS the login is refused');
        }
        return $client;
    }

    public function close(): void
    {
        try {
            $this->client?->close();
        } catch (\Throwable) {
        }
        $this->client = null;
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** The servers that are the store: finds the one that has a key, and tries again within bounds. */
final class Store
{
    /** What passes while a master is being replaced, slots move, or a server has just been started. */
    private const PASSING = '/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|MOVED|ASK)\b/';
    private const REFUSED = '/^(WRONGPASS|NOPERM|OOM|MISCONF|WRONGTYPE|ERR|NOAUTH)\b/';
    private const FAILOVER_SECONDS = 8;
    private const PAUSE_MICROSECONDS = 100_000;
    private const POLL_MICROSECONDS = 20_000;
    /** How old what the Sentinels have said may be. The master that they replace may take writes for ten seconds more. */
    private const FRESH_SECONDS = 1;

    public array $settings;
    /** @var array<string, Connection> by the names of their servers */
    private array $connections = [];
    /** The name of the server that was asked last. */
    private string $asked = '';
    /** Who is the master, or has which slots, and who has said so: as last heard by any worker, then by us. */
    private ?array $map = null;
    private float $heard = 0;
    /** @var array<string, int> by keys */
    private array $slots = [];
    private bool $isReread = false;
    /** The moment after which nothing is tried again. */
    private float $deadline = 0;

    public function __construct(private readonly string $file)
    {
        $this->read();
    }

    private function read(): void
    {
        // opcache may have been told not to look whether a file is another one, or not so soon.
        $timestamps = set('opcache.validate_timestamps', '1');
        $frequency = set('opcache.revalidate_freq', '0');
        $settings = is_readable($this->file) ? include $this->file : null;
        set('opcache.validate_timestamps', (string) $timestamps);
        set('opcache.revalidate_freq', (string) $frequency);
        if (!is_array($settings) || !isset($settings['topology'], $settings['servers'])) {
            throw new StoreFailed("{$this->file} cannot be read: restart the app, or run php-sessions doctor");
        }
        $this->settings = $settings;
    }

    private function is(string $topology): bool
    {
        return $this->settings['topology'] === $topology;
    }

    /**
     * The keys of a session: data, lock, waiters, call. On a server alone the lock's name is that of phpredis, so that
     * both exclude each other; on a cluster all must be in the slot of the data.
     */
    public function keys(#[\SensitiveParameter] string $id): array
    {
        $isCluster = $this->is('cluster');
        $key = ($this->settings['prefix'] ?? ($isCluster ? 'PHPREDIS_CLUSTER_SESSION:' : 'PHPREDIS_SESSION:')) . $id;
        $name = $isCluster ? "{{$key}}" : $key;
        return [$key, "{$name}_LOCK", "{$name}_WAIT", "{$name}_NEXT"];
    }

    /**
     * Runs a script, which must give back $token first: what answers an earlier command is never taken for data.
     * $arguments gets two more: the server's name where a failover may put another one in its place, else nothing; and
     * the number of the try, by which the script knows that it may have run already. `$isRelease` has more patience.
     */
    public function script(
        string $lua,
        array $keys,
        string $token,
        #[\SensitiveParameter] array $arguments,
        bool $isRelease = false,
    ): array {
        $database = $this->settings['database'];
        $lua = ($database > 0 ? "redis.call('SELECT', $database)\n" : '') . $lua;
        return $this->attempt($keys[0], $isRelease, function (\Redis $client, int $try) use ($lua, $keys, $token, $arguments): array {
            $place = $this->is('single') ? '' : "@{$this->asked}";
            $all = [...$keys, $token, ...$arguments, $place, $try];
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

    /** Waits until something is in a list, and takes it; whether something was. */
    public function waitFor(string $list, int $seconds): bool
    {
        return $this->attempt($list, false, function (\Redis $client) use ($list, $seconds): bool {
            $database = $this->settings['database'];
            if ($database > 0 && !$client->select($database)) {
                throw new \RedisException($client->getLastError() ?: 'no such database');
            }
            $client->clearLastError();
            $found = $client->blPop([$list], $seconds);
            $why = (string) $client->getLastError();
            if (str_starts_with($why, 'ERR unknown command')) {
                return $this->poll($client, $list, $seconds);
            }
            return $why === '' ? (bool) $found : throw new \RedisException($why);
        });
    }

    /** The same where a proxy knows no commands that wait. */
    private function poll(\Redis $client, string $list, int $seconds): bool
    {
        for ($end = microtime(true) + $seconds; microtime(true) < $end; usleep(self::POLL_MICROSECONDS)) {
            if ($client->lPop($list) !== false) {
                return true;
            }
        }
        return false;
    }

    private function attempt(#[\SensitiveParameter] string $key, bool $isRelease, \Closure $command): mixed
    {
        $start = microtime(true);
        $this->deadline = $start + self::FAILOVER_SECONDS;
        $mayHaveRun = false;
        for ($try = 0;; $try++) {
            try {
                return $this->connectionFor($key)->run(fn (\Redis $client) => $command($client, $try));
            } catch (\RedisException $error) {
                $why = $error->getMessage();
                $mayHaveRun = $mayHaveRun || $error->getCode() === Connection::LOST;
            }
            $isPassing = preg_match(self::PASSING, $why) === 1;
            if (!$isPassing && $this->reread()) {
                continue;
            }
            $seconds = $this->patience($why, $isPassing, $isRelease, $mayHaveRun);
            if (microtime(true) - $start >= $seconds || preg_match(self::REFUSED, $why)) {
                $where = $this->asked !== '' ? $this->asked : implode(', ', array_map(nameOf(...), $this->settings['servers']));
                throw new StoreFailed("$where: $why");
            }
            if ($try > 0) {
                usleep(self::PAUSE_MICROSECONDS);
            }
            if (!$this->is('single')) {
                $this->lookAgain($why);
            }
        }
    }

    /** For how many seconds it is tried again. */
    private function patience(string $why, bool $isPassing, bool $isRelease, bool $mayHaveRun): float
    {
        $isLoading = str_starts_with($why, 'LOADING');
        return match (true) {
            !$this->is('single') => self::FAILOVER_SECONDS,
            // One server alone stays what it is, e.g. a replica.
            $isPassing && !$isLoading => 0,
            $isRelease => self::FAILOVER_SECONDS,
            // A lock may outlive a restart; or it is nearly there.
            $mayHaveRun || $isLoading => $this->settings['connectSeconds'],
            default => 0,
        };
    }

    /** Whether the file says something else by now; it may have been replaced within the second in which it was read. */
    private function reread(): bool
    {
        if ($this->isReread) {
            return false;
        }
        $this->isReread = true;
        $before = $this->settings;
        if (function_exists('opcache_invalidate')) {
            @opcache_invalidate($this->file, true);
        }
        clearstatcache(true, $this->file);
        $this->read();
        if ($this->settings === $before) {
            return false;
        }
        $this->connections = [];
        $this->map = null;
        return true;
    }

    private function connectionFor(#[\SensitiveParameter] string $key): Connection
    {
        if ($this->is('single')) {
            return $this->connectionTo($this->settings['servers'][0]);
        }
        $map = $this->map();
        if ($this->is('sentinel')) {
            return $this->connectionTo($map['master']);
        }
        $slot = $this->slots[$key] ??= slotOf($key);
        foreach ($map['slots'] as [$first, $last, $server]) {
            if ($first <= $slot && $slot <= $last) {
                return $this->connectionTo($server);
            }
        }
        throw new \RedisException("CLUSTERDOWN no server has slot $slot");
    }

    private function connectionTo(array $server): Connection
    {
        $this->asked = nameOf($server);
        $settings = $this->settings;
        return $this->connections[$this->asked] ??= new Connection(
            $server,
            $settings['tls'] ? $this->certificatesFor($server) : null,
            loginOf($settings),
            [$settings['connectSeconds'], $settings['readSeconds']],
        );
    }

    /** One that is asked for the map: who does not answer within a second is passed over. */
    private function guide(array $server): Connection
    {
        $access = $this->settings['sentinel'] ?? $this->settings;
        return new Connection($server, $access['tls'] ? $this->certificatesFor($server) : null, loginOf($access), [1.0, 1.0]);
    }

    private function certificatesFor(array $server): array
    {
        ['ca' => $ca, 'clientCertificate' => $certificate] = $this->settings;
        // PHP would look for an IPv6 address in brackets in the certificate.
        $name = str_contains($server['host'], ':') ? $server['host'] : null;
        // Others wait without end where TLS 1.3 sends its tickets before the first answer (php-src GH-10495).
        $isFixed = PHP_VERSION_ID >= 80307 || (PHP_VERSION_ID >= 80219 && PHP_VERSION_ID < 80300);
        $method = $isFixed ? null : STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT;
        return array_filter(['cafile' => $ca, 'local_cert' => $certificate, 'peer_name' => $name, 'crypto_method' => $method])
            + ['verify_peer' => true];
    }

    /**
     * Where everything is. A master may be another one by now: the first who finds that the Sentinels were asked too long
     * ago asks them again, and the others go on meanwhile.
     */
    private function map(): array
    {
        $isOld = $this->is('sentinel') && microtime(true) - $this->heard >= self::FRESH_SECONDS;
        if ($this->map !== null && !$isOld) {
            return $this->map;
        }
        $this->heard = microtime(true);
        $this->map = $this->recall() ?? $this->map;
        if ($this->map === null) {
            $this->map = $this->find();
        } elseif ($isOld && time() - (int) @filemtime($this->stateFile()) >= self::FRESH_SECONDS) {
            @touch($this->stateFile());
            $this->lookAgain();
        }
        return $this->map;
    }

    /** A redirection names one who knows more. */
    private function lookAgain(string $why = ''): void
    {
        $isRedirection = preg_match('/^MOVED \d+ (.+):(\d+)$/', $why, $match) === 1;
        try {
            $this->map = $this->find(...($isRedirection ? [['host' => $match[1], 'port' => (int) $match[2]]] : []));
        } catch (\RedisException) {
            // As long as nobody knows better, the old one.
        }
    }

    /** Asks those that are named here, then all that we have heard of: a Sentinel that has told us first, who has failed last. */
    private function find(array ...$servers): array
    {
        array_push($servers, ...$this->settings['servers'], ...array_column($this->map['slots'] ?? [], 2));
        $servers = array_combine(array_map(nameOf(...), $servers), $servers);
        $rank = fn (string $name): array => [$name === $this->asked, $name !== ($this->map['by'] ?? '')];
        uksort($servers, fn (string $a, string $b) => $rank($a) <=> $rank($b));
        $why = [];
        foreach ($servers as $name => $server) {
            if ($why !== [] && microtime(true) > $this->deadline) {
                break;
            }
            $guide = $this->guide($server);
            try {
                $found = $guide->run(fn (\Redis $client) => $this->is('cluster')
                    ? ['slots' => slots($client, $server)]
                    : ['master' => $this->master($client), 'by' => $name]);
                return $this->remember($found + ['origin' => $this->origin()]);
            } catch (\RedisException $error) {
                $why[] = "$name {$error->getMessage()}";
            }
        }
        throw new \RedisException(($this->is('cluster') ? 'nobody knows the slots: ' : 'no Sentinel names a master: ') . implode('; ', $why));
    }

    private function master(\Redis $client): array
    {
        $name = $this->settings['sentinel']['masterName'];
        $found = $client->rawCommand('SENTINEL', 'get-master-addr-by-name', $name);
        if (!is_array($found) || count($found) !== 2) {
            throw new \RedisException($client->getLastError() ?: "knows no master $name");
        }
        return ['host' => $found[0], 'port' => (int) $found[1]];
    }

    /** What was found out is kept for all workers, only for these servers. It is there from the start, theirs alone. */
    private function stateFile(): string
    {
        return dirname($this->file) . '/php-sessions-state.json';
    }

    private function origin(): array
    {
        return [$this->settings['servers'], $this->settings['sentinel']['masterName'] ?? null];
    }

    private function recall(): ?array
    {
        $file = $this->stateFile();
        clearstatcache(true, $file);
        $map = is_readable($file) ? json_decode((string) file_get_contents($file), true) : null;
        return ($map['origin'] ?? null) === $this->origin() ? $map : null;
    }

    private function remember(array $map): array
    {
        if (is_writable($this->stateFile()) && $map !== $this->recall()) {
            // Who reads half of it asks for itself.
            file_put_contents($this->stateFile(), json_encode($map), LOCK_EX);
        }
        return $map;
    }

    /** What var_dump of an app may show. */
    public function __debugInfo(): array
    {
        return [];
    }
}

/** As phpredis takes it; null for none. */
function loginOf(#[\SensitiveParameter] array $access): string|array|null
{
    ['user' => $user, 'password' => $password] = $access;
    return $user === null || $password === null ? $password : [$user, $password];
}

/** As people write it. */
function nameOf(array $server): string
{
    ['host' => $host, 'port' => $port] = $server;
    return match (true) {
        str_starts_with($host, '/') => $host,
        str_contains($host, ':') => "[$host]:$port",
        default => "$host:$port",
    };
}

/** The slots of a Redis Cluster as it tells them: first, last, master. One without a name is the one we have asked. */
function slots(\Redis $client, array $asked): array
{
    $rows = $client->rawCommand('CLUSTER', 'SLOTS');
    if (!is_array($rows) || !is_array($rows[0][2] ?? null)) {
        throw new \RedisException($client->getLastError() ?: 'has no slots');
    }
    return array_map(fn (array $row): array => [
        $row[0],
        $row[1],
        ['host' => in_array($row[2][0], ['', '?', null, false], true) ? $asked['host'] : $row[2][0], 'port' => $row[2][1]],
    ], $rows);
}

/** The slot of a key in a Redis Cluster: CRC16 (XMODEM) of what is in its first braces, or else of all of it. */
function slotOf(#[\SensitiveParameter] string $key): int
{
    $crc = 0;
    foreach (unpack('C*', preg_match('/^[^{]*\{([^}]+)\}/', $key, $match) ? $match[1] : $key) as $byte) {
        $byte ^= $crc >> 8;
        $byte ^= $byte >> 4;
        $crc = ($crc << 8 ^ $byte << 12 ^ $byte << 5 ^ $byte) & 0xffff;
    }
    return $crc & 0x3fff;
}

/** As ini_set, which some forbid. */
function set(string $name, string $value): string|false
{
    return function_exists('ini_set') ? ini_set($name, $value) : false;
}

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
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        if now > tonumber(ARGV[4]) then return {ARGV[1], 3, tostring(now)} end
        local owner = redis.call('GET', KEYS[2])
        local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
        if not owner or isMine or (owner == '@' and ARGV[3] == 'woken') then
            local data = redis.call('GET', KEYS[1])
            if ARGV[3] ~= 'first' then redis.call('ZREM', KEYS[3], ARGV[1]) end
            if ARGV[5] == '1' and not owner and not data then return {ARGV[1], 4} end
            redis.call('SET', KEYS[2], ARGV[1] .. ARGV[6], 'PX', ARGV[2])
            return {ARGV[1], 1, data}
        end
        redis.call('ZREMRANGEBYSCORE', KEYS[3], 0, now)
        if ARGV[3] == 'first' and redis.call('ZCARD', KEYS[3]) >= 100 then return {ARGV[1], 2} end
        redis.call('ZADD', KEYS[3], now + 1500, ARGV[1])
        redis.call('PEXPIRE', KEYS[3], 1500)
        local giver = string.match(owner, '^%x+(@.+)$')
        if giver and giver ~= ARGV[6] and redis.call('PTTL', KEYS[2]) > 5000 then redis.call('PEXPIRE', KEYS[2], 5000) end
        return {ARGV[1], 0}
        LUA;

    /*
     * KEYS as above. ARGV: token, what (set, touch, delete, keep, nothing), seconds to live, data, hash of the data that
     * were read (empty without locks), server, number of the try. Whoever has lost the lock writes or deletes only when
     * nobody has it and the data are still those. What is kept is an empty session where there is none.
     * Answer: token, 1 done | 0 refused, the lock was lost | 2 nothing there to touch.
     */
    private const RELEASE = <<<'LUA'
        local owner = redis.call('GET', KEYS[2])
        local isMine = owner and string.find(owner, ARGV[1], 1, true) == 1
        local failed
        if not isMine and (ARGV[2] == 'set' or ARGV[2] == 'delete') and ARGV[5] ~= '' then
            local data = redis.call('GET', KEYS[1]) or ''
            if ARGV[7] ~= '0' and data == ARGV[4] then return {ARGV[1], 1} end
            if owner or redis.sha1hex(data) ~= ARGV[5] then return {ARGV[1], 0} end
        end
        if ARGV[2] == 'set' then failed = redis.pcall('SETEX', KEYS[1], ARGV[3], ARGV[4])
        elseif ARGV[2] == 'touch' and redis.call('EXPIRE', KEYS[1], ARGV[3]) == 0 then return {ARGV[1], 2}
        elseif ARGV[2] == 'delete' then redis.call('DEL', KEYS[1])
        elseif ARGV[2] == 'keep' and (isMine or ARGV[5] == '') then redis.pcall('SET', KEYS[1], '', 'EX', ARGV[3], 'NX') end
        if type(failed) ~= 'table' or not failed.err then failed = nil end
        if isMine and not failed and redis.call('ZCARD', KEYS[3]) > 0 then
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

/** Ends the request: better no page than one that takes the visitor for a stranger. */
function unavailable(): never
{
    while (ob_get_level() > 0 && ob_end_clean()) {
    }
    if (PHP_SAPI !== 'cli' && !headers_sent()) {
        // What the page was to be, how long caches may keep it, and the id of a session that there is not.
        $kept = preg_grep('/^Set-Cookie: *+(?!' . preg_quote(session_name(), '/') . '=)/i', headers_list());
        header_remove();
        http_response_code(503);
        header('Retry-After: 5');
        header('Cache-Control: no-store');
        header('Content-Type: text/plain; charset=utf-8');
        array_map(fn (string $cookie) => header($cookie, false), $kept);
        echo "Service temporarily unavailable. Please try again in a few seconds.\n";
    }
    exit(1);
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

namespace Symfony\Component\HttpFoundation\Session\Storage;

/**
 * What Symfony calls, since it does so without a backslash: by default it wraps PHP's own SessionHandler, behind which PHP
 * would put phpredis. Ours stays in its place. A handler of the app's own, as one that encrypts, gets what it asks for.
 */
function session_set_save_handler(object $handler, bool $register = true): bool
{
    $inner = $handler;
    while ($inner instanceof Proxy\SessionHandlerProxy || $inner instanceof Handler\StrictSessionHandler) {
        $inner = (fn (): ?object => $this->handler ?? null)->call($inner);
    }
    $isDefault = $inner !== null && $inner::class === \SessionHandler::class;
    return $isDefault && ini_get('session.save_handler') === 'user' || \session_set_save_handler($handler, $register);
}
