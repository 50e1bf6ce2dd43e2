<?php

namespace PhpSessions;

/** Sessions in Redis or Valkey: on one server, on the master that the Sentinels name, or on all masters of a cluster. */
final class RedisSessionStore implements SessionStore
{
    /** What the handlers accept as an id: no name of another key of theirs. */
    private const ID = '/^(?!.*_(?:LOCK|WAIT|NEXT|PREV|DONE_[0-9a-f]*)$)[^\x00-\x20\x7f{}]{1,256}$/D';
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
    public readonly RedisServers $servers;
    private readonly array $settings;
    /** Whether the managed handler keeps these sessions. */
    private readonly bool $isManaged;
    /** Whether one address hides a cluster, as proxies of some hosters do. */
    private bool $hidesCluster = false;

    public function __construct(string $store)
    {
        $this->scripts = new Store($store);
        $this->settings = $this->scripts->settings;
        $this->servers = new RedisServers($this->settings);
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
        foreach ($this->servers->all() as $server) {
            for ($cursor = null; $cursor !== '0';) {
                $command = ['SCAN', $cursor ?? '0', 'MATCH', $pattern, 'COUNT', self::STEP, ...$ofType];
                [$answer] = $this->servers->ask($server, [$command]);
                if ($ofType !== [] && $answer instanceof ServerFailed && str_starts_with($answer->getMessage(), 'ERR syntax')) {
                    // Before Redis 6.
                    $ofType = [];
                    continue;
                }
                [$cursor, $names] = RedisServers::valid($answer, $server);
                $names = array_values(array_unique($names));
                yield $ofType === [] ? $this->onlyOfType($names, $type) : $names;
            }
        }
    }

    public function total(): ?int
    {
        $total = 0;
        foreach ($this->servers->all() as $server) {
            [$count] = $this->servers->ask($server, [['DBSIZE']]);
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
        $added = array_keys(array_filter($this->servers->run($commands), fn (array $answers): bool => $answers[0] === 'OK'));
        return array_map($this->keyOf(...), $added);
    }

    public function delete(string $key): bool
    {
        $name = $this->settings['prefix'] . $key;
        return $this->servers->run([$name => [['DEL', $name]]])[$name][0] === 1;
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
            return count(array_filter($this->servers->run($commands), fn (array $answers): bool => $answers[0] === 1));
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
        foreach ($this->servers->run($commands, mayBeForeign: true) as $name => [$found, $milliseconds]) {
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
        $found = array_filter($this->servers->run($commands), fn (array $answers): bool => $answers[0] === $type);
        return array_map('strval', array_keys($found));
    }

    private function keyOf(string|int $name): string
    {
        return substr((string) $name, strlen($this->settings['prefix']));
    }
}
