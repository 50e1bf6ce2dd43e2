<?php

namespace PhpSessions;

/** Sessions in Redis or Valkey: on one server, on the master that the Sentinels name, or on all masters of a cluster. */
final class RedisSessionStore implements SessionStore
{
    /** What the handlers accept as an id: no name of another key of theirs. */
    private const ID = '/^(?!.*_(?:LOCK|WAIT|NEXT|PREV|DONE_[0-9a-f]*)$)[^\x00-\x20\x7f{}]{1,256}$/D';
    /** As in Store: replies that end by themselves. */
    private const PASSING = '/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MOVED|ASK)\b/';
    private const PATIENCE_SECONDS = 8;
    public const STEP = 500;
    /**
     * Removes a session and takes its lock away. The request that has the lock may not write any more: with the managed handler
     * RELEASE compares the data with those that it read, phpredis looks for its lock. A request that waits is called, as by RELEASE.
     */
    private const END = <<<'LUA'
        local had = redis.call('DEL', KEYS[1])
        if redis.call('EXISTS', KEYS[2]) == 1 and redis.call('ZCARD', KEYS[3]) > 0 then
            redis.call('SET', KEYS[2], '@', 'PX', 1000)
            redis.call('DEL', KEYS[4])
            redis.call('LPUSH', KEYS[4], 1)
            redis.call('PEXPIRE', KEYS[4], 1000)
        else
            redis.call('DEL', KEYS[2])
        end
        return had
        LUA;

    public readonly Store $scripts;
    private readonly array $settings;
    /** Whether the managed handler keeps these sessions. */
    private readonly bool $isManaged;
    private readonly ServerMap $map;
    /** @var array<string, Connection> */
    private array $connections = [];
    /** Whether one address hides a cluster, as proxies of some hosters do. */
    private bool $hidesCluster = false;

    public function __construct(string $store)
    {
        $this->scripts = new Store($store);
        $this->settings = $this->scripts->settings;
        $this->map = new ServerMap($this->settings);
        $this->isManaged = Asked::$question['stores'][$store]['isManaged'];
    }

    public function keys(): iterable
    {
        $length = strlen($this->settings['prefix']);
        foreach ($this->scan($this->pattern() . '*', 'string') as $names) {
            $keys = array_map(fn (string $name): string => substr($name, $length), $names);
            $keys = array_values(preg_grep(self::ID, $keys));
            if ($keys !== []) {
                yield $keys;
            }
        }
    }

    /** The prefix as part of a pattern. */
    public function pattern(): string
    {
        return preg_replace('/[\\\\*?[\]^]/', '\\\\$0', $this->settings['prefix']);
    }

    /** The names of all keys of a type that match a pattern, in lists. */
    public function scan(string $pattern, string $type): iterable
    {
        $ofType = ['TYPE', $type];
        foreach ($this->servers() as $server) {
            for ($cursor = null; $cursor !== '0';) {
                $command = ['SCAN', $cursor ?? '0', 'MATCH', $pattern, 'COUNT', self::STEP, ...$ofType];
                [$answer] = $this->ask($server, [$command]);
                if ($ofType !== [] && $answer instanceof ServerFailed && str_starts_with($answer->getMessage(), 'ERR syntax')) {
                    // Before Redis 6.
                    $ofType = [];
                    continue;
                }
                [$cursor, $names] = self::valid($answer, $server);
                $names = array_values(array_unique($names));
                yield $ofType === [] ? $this->onlyOfType($names, $type) : $names;
            }
        }
    }

    public function total(): ?int
    {
        $total = 0;
        foreach ($this->servers() as $server) {
            [$count] = $this->ask($server, [['DBSIZE']]);
            $total += is_int($count) ? $count : 0;
        }
        return $total ?: null;
    }

    public function measure(array $keys): array
    {
        return $this->lives($keys, 'STRLEN');
    }

    public function read(array $keys): array
    {
        return $this->lives($keys, 'GET');
    }

    public function add(#[\SensitiveParameter] array $sessions, array $notes = []): array
    {
        $commands = [];
        foreach ($sessions as $key => [$data, $seconds]) {
            $life = $seconds === null ? [] : ['PX', max(1, (int) round($seconds * 1000))];
            $name = $this->settings['prefix'] . $key;
            $commands[$name] = [['SET', $name, $data, 'NX', ...$life]];
            if (isset($notes[$key])) {
                $note = substr($this->scripts->keys((string) $key)[1], 0, -strlen('LOCK')) . 'PREV';
                $commands[$name][] = ['SET', $note, $notes[$key], 'NX', ...$life];
            }
        }
        $added = array_keys(array_filter($this->run($commands), fn (array $answers): bool => $answers[0] === 'OK'));
        return array_map($this->keyOf(...), $added);
    }

    public function delete(string $key): bool
    {
        $name = $this->settings['prefix'] . $key;
        return $this->run([$name => [['DEL', $name]]])[$name][0] === 1;
    }

    public function end(array $keys): int
    {
        ['locking' => $isLocking, 'topology' => $topology] = $this->settings;
        $hasLocks = $isLocking && ($topology !== 'cluster' || $this->isManaged);
        $commands = [];
        foreach ($keys as $key) {
            [$data, $lock, $waiting, $call] = $this->namesOf((string) $key);
            $commands[$data] = [$hasLocks ? ['EVAL', self::END, 4, $data, $lock, $waiting, $call] : ['DEL', $data]];
        }
        try {
            return count(array_filter($this->run($commands), fn (array $answers): bool => $answers[0] === 1));
        } catch (StoreFailed $failure) {
            if ($this->hidesCluster || !str_contains($failure->getMessage(), 'CROSSSLOT')) {
                throw $failure;
            }
            $this->hidesCluster = true;
            return $this->end($keys);
        }
    }

    /** The names of a session's keys, as the handler has them. */
    private function namesOf(string $key): array
    {
        $names = $this->scripts->keys($key);
        return $this->hidesCluster ? preg_replace('/^(.*)(_LOCK|_WAIT|_NEXT)$/Ds', '{$1}$2', $names) : $names;
    }

    /** What a command says of sessions, and the seconds that they have to live. */
    private function lives(array $keys, string $command): array
    {
        $commands = [];
        foreach (preg_grep(self::ID, $keys) as $key) {
            $name = $this->settings['prefix'] . $key;
            $commands[$name] = [[$command, $name], ['PTTL', $name]];
        }
        $lives = [];
        foreach ($this->run($commands, mayBeForeign: true) as $name => [$found, $milliseconds]) {
            // -2 is gone, -1 is for ever.
            if ($found !== null && !$found instanceof ServerFailed && $milliseconds !== -2) {
                $lives[$this->keyOf($name)] = [$found, $milliseconds < 0 ? null : $milliseconds / 1000];
            }
        }
        return $lives;
    }

    private function onlyOfType(array $names, string $type): array
    {
        $commands = array_combine($names, array_map(fn (string $name): array => [['TYPE', $name]], $names));
        $found = array_filter($this->run($commands), fn (array $answers): bool => $answers[0] === $type);
        return array_map(strval(...), array_keys($found));
    }

    private function keyOf(string|int $name): string
    {
        return substr((string) $name, strlen($this->settings['prefix']));
    }

    private function servers(): array
    {
        try {
            return $this->map->servers(microtime(true) + self::PATIENCE_SECONDS);
        } catch (ServerFailed $failure) {
            throw new StoreFailed($failure->getMessage());
        }
    }

    /**
     * Runs commands, given by the name of their key, with one round trip to each server. Where a master is being replaced or
     * slots move, they are run again. Returns the answers by name; only `$mayBeForeign` may have a refusal, WRONGTYPE.
     */
    public function run(#[\SensitiveParameter] array $commands, bool $mayBeForeign = false): array
    {
        $answers = [];
        for ($end = microtime(true) + self::PATIENCE_SECONDS; $commands !== [];) {
            $why = '';
            foreach ($this->byServer($commands, $end) as [$server, $names]) {
                try {
                    $found = $this->ask($server, array_merge(...array_map(fn ($name) => $commands[$name], $names)));
                } catch (StoreFailed $failure) {
                    $why = $failure->getMessage();
                    continue;
                }
                foreach ($names as $name) {
                    $ofName = array_splice($found, 0, count($commands[$name]));
                    $refusals = array_filter($ofName, fn ($answer): bool => $answer instanceof ServerFailed);
                    $refusal = $refusals === [] ? '' : reset($refusals)->getMessage();
                    if (preg_match(self::PASSING, $refusal)) {
                        $why = $refusal;
                        continue;
                    }
                    if ($refusal !== '' && !($mayBeForeign && str_starts_with($refusal, 'WRONGTYPE'))) {
                        self::valid(reset($refusals), $server);
                    }
                    $answers[$name] = $ofName;
                    unset($commands[$name]);
                }
            }
            if ($commands !== []) {
                if (microtime(true) > $end) {
                    throw new StoreFailed($why);
                }
                usleep(100_000);
                $this->settings['topology'] === 'single' || $this->map->update($why, $end);
            }
        }
        return $answers;
    }

    /** The names of keys, by the server that has them. */
    private function byServer(array $commands, float $deadline): array
    {
        $servers = [];
        foreach ($commands as $name => $ofName) {
            try {
                $server = $this->map->serverFor((string) $name, $deadline);
            } catch (ServerFailed $failure) {
                throw new StoreFailed($failure->getMessage());
            }
            $servers[$this->map->last] ??= [$server, []];
            $servers[$this->map->last][1][] = $name;
        }
        return $servers;
    }

    /** Sends commands to a server in one write and returns its answers, refusals among them. */
    private function ask(array $server, #[\SensitiveParameter] array $commands): array
    {
        $name = serverName($server);
        ['connectSeconds' => $toConnect, 'readSeconds' => $toRead] = $this->settings;
        $connection = $this->connections[$name] ??= new Connection($server, $this->settings, [$toConnect, $toRead]);
        try {
            return Pace::step(fn () => Warnings::quietly(
                fn () => $connection->run(fn (Resp $resp): array => $resp->askAll($commands)),
            ));
        } catch (ServerFailed $failure) {
            throw new StoreFailed("$name: {$failure->getMessage()}");
        }
    }

    /** An answer that is no refusal. */
    private static function valid(mixed $answer, array $server): mixed
    {
        if ($answer instanceof ServerFailed) {
            $isDenied = preg_match("/^NOPERM|can't run this command/", $answer->getMessage()) === 1;
            $advice = $isDenied ? '; see php-sessions explain --acl --operator' : '';
            throw new StoreFailed(serverName($server) . ": {$answer->getMessage()}$advice");
        }
        return $answer;
    }
}
