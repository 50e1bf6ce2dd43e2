<?php

namespace PhpSessions;

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
