<?php

namespace PhpSessions;

/**
 * Sessions on one Memcached. It lists its keys only to clients without a login, by the LRU crawler, and tells when each ends.
 */
final class MemcachedSessionStore implements SessionStore
{
    private const ID = '/^(?!lock\.|prev\.)[^\x00-\x20\x7f]{1,256}$/D';
    private const STEP = 500;
    private const KEY_BYTES = 250;
    /** Each may have a megabyte. */
    private const AT_ONCE = 50;
    private const SILENCE_SECONDS = 10;
    /** More is a moment to the server, in seconds since 1970. */
    private const LONGEST_SECONDS = 30 * 86400;

    private readonly Cache $cache;
    private readonly bool $isManaged;
    private readonly array $settings;
    /** When sessions end, as the server has told with its keys: seconds since 1970, or -1. */
    private array $ends = [];

    public function __construct(string $store)
    {
        $this->cache = new Cache($store);
        $this->settings = $this->cache->settings;
        $this->isManaged = Asked::$question['stores'][$store]['isManaged'];
    }

    /** The list is fetched at once, so that nobody waits for the crawler. */
    public function keys(): iterable
    {
        $found = fopen('php://temp', 'w+b');
        $this->list('', fn (string $key, int $end) => fwrite($found, "$end $key\n"));
        rewind($found);
        $this->ends = [];
        while (($line = fgets($found)) !== false) {
            [$end, $key] = explode(' ', substr($line, 0, -1), 2);
            if (preg_match(self::ID, $key)) {
                $this->ends[$key] = (int) $end;
            }
            if (count($this->ends) === self::STEP) {
                yield array_map('strval', array_keys($this->ends));
                $this->ends = [];
            }
        }
        if ($this->ends !== []) {
            yield array_map('strval', array_keys($this->ends));
        }
    }

    /**
     * Gives each key that begins so, and when it ends: in seconds since 1970, -1 for never. Whether none can be missing that was
     * there all the time.
     */
    public function list(string $begin, \Closure $take): bool
    {
        ['prefix' => $prefix] = $this->settings;
        $read = function (string $line) use ($take, $prefix, $begin): void {
            $name = preg_match('/^key=(\S+) exp=(-?\d+)/', $line, $found) ? rawurldecode($found[1]) : '';
            if (str_starts_with($name, "$prefix$begin")) {
                $take(substr($name, strlen($prefix)), (int) $found[2]);
            }
        };
        if ($this->talk('lru_crawler metadump hash', $read)) {
            return true;
        }
        // Servers before 1.6.9. It omits items in use, or being moved between its lists.
        $this->talk('lru_crawler metadump all', $read);
        return false;
    }

    public function total(): ?int
    {
        $count = null;
        $this->talk('stats', function (string $line) use (&$count): void {
            $count = preg_match('/^STAT curr_items (\d+)/', $line, $match) ? (int) $match[1] : $count;
        });
        return $count ?: null;
    }

    public function measure(array $keys): array
    {
        $sizes = [];
        foreach (array_chunk($keys, self::AT_ONCE) as $some) {
            $sizes += array_map(fn (array $session): array => [strlen($session[0]), $session[1]], $this->read($some));
        }
        return $sizes;
    }

    public function read(array $keys): array
    {
        $room = self::KEY_BYTES - strlen("{$this->settings['prefix']}lock.");
        $keys = array_values(array_filter(preg_grep(self::ID, $keys), fn ($key): bool => strlen((string) $key) <= $room));
        $answers = $this->items($keys);
        $sessions = [];
        foreach ($keys as $i => $key) {
            $end = $this->ends[$key] ?? -1;
            if (is_array($answers[$i])) {
                $sessions[$key] = [$answers[$i][0], $end < 0 ? null : (float) ($end - time())];
            }
        }
        return $sessions;
    }

    /** What the server has under each of these keys, in their order: the value and its number, or null. */
    public function items(array $keys): array
    {
        return $this->ask(array_map(fn ($key): array => ['get', $this->settings['prefix'] . $key], $keys));
    }

    public function add(#[\SensitiveParameter] array $sessions, array $notes = []): array
    {
        $commands = $noted = [];
        foreach ($sessions as $key => [$data, $seconds]) {
            ['prefix' => $prefix] = $this->settings;
            $commands[] = ['add', "$prefix$key", $data, self::expiry($seconds)];
            if (isset($notes[$key])) {
                $noted[] = ['add', "{$prefix}prev.$key", $notes[$key], self::expiry($seconds)];
            }
        }
        $isAdded = $this->ask([...$commands, ...$noted]);
        $keys = array_map('strval', array_keys($sessions));
        return array_values(array_filter($keys, fn (int $i): bool => $isAdded[$i] === true, ARRAY_FILTER_USE_KEY));
    }

    private static function expiry(?float $seconds): int
    {
        $left = $seconds === null ? 0 : max(1, (int) ceil($seconds));
        return $left > self::LONGEST_SECONDS ? time() + $left : $left;
    }

    public function delete(string $key): bool
    {
        return $this->ask([['delete', $this->settings['prefix'] . $key]])[0] === true;
    }

    /** A request that has the session finds another one at its end, and does not write. It would write what is gone. */
    public function end(array $keys): int
    {
        ['prefix' => $prefix, 'locking' => $isLocking, 'lockSeconds' => $life] = $this->settings;
        $isEmptied = $isLocking && $this->isManaged;
        $command = fn (string $key): array => $isEmptied ? ['replace', "$prefix$key", '', $life] : ['delete', "$prefix$key"];
        $commands = array_map(fn ($key): array => $command((string) $key), array_values($keys));
        return count(array_filter($this->ask($commands)));
    }

    /** Sends commands in one write. Where the server refuses one of them, each is sent alone; a refusal is null. */
    private function ask(#[\SensitiveParameter] array $commands): array
    {
        if ($commands === []) {
            return [];
        }
        try {
            return Pace::step(fn (): array => $this->cache->ask(...$commands));
        } catch (ServerFailed $failure) {
            if ($failure->getCode() !== ServerFailed::REFUSED || str_contains($failure->getMessage(), 'full')) {
                throw new StoreFailed($failure->getMessage());
            }
            return count($commands) === 1 ? [null] : array_map(fn (array $command) => $this->ask([$command])[0], $commands);
        }
    }

    /** Sends a command of the text protocol, and gives each line of its answer, up to END. Whether the server knows it. */
    private function talk(string $command, \Closure $take): bool
    {
        $name = serverName($this->settings['server']);
        if ($this->settings['password'] !== null) {
            throw new StoreFailed("$name asks for a login (SASL), and Memcached lists its keys only without one");
        }
        // The crawler has work of its own, and waits while the hash table grows.
        for ($end = microtime(true) + self::SILENCE_SECONDS; ($isKnown = $this->talkOnce($command, $take, $name)) === null;) {
            if (microtime(true) > $end) {
                throw new StoreFailed("$name does not list its keys (lru_crawler metadump): it is busy with a list for others");
            }
            usleep(100_000);
        }
        return $isKnown;
    }

    /** The same; null where the server has no time for it now. */
    private function talkOnce(string $command, \Closure $take, string $name): ?bool
    {
        return Warnings::quietly(function () use ($command, $take, $name): ?bool {
            $address = str_starts_with($name, '/') ? "unix://$name" : "tcp://$name";
            $stream = stream_socket_client($address, $code, $why, $this->settings['connectSeconds'])
                ?: throw new StoreFailed("$name: $why");
            stream_set_timeout($stream, self::SILENCE_SECONDS);
            fwrite($stream, "$command\r\n");
            while (($line = fgets($stream)) !== false) {
                $line = rtrim($line);
                if ($line === 'END' || str_starts_with($line, 'BADCLASS')) {
                    return $line === 'END';
                }
                if (preg_match('/^(BUSY|ERROR locked)/', $line)) {
                    return null;
                }
                if (preg_match('/^(ERROR|CLIENT_ERROR|SERVER_ERROR)/', $line)) {
                    throw new StoreFailed("$name does not list its keys (lru_crawler metadump): " . printable($line));
                }
                $take($line);
            }
            throw new StoreFailed("$name does not list its keys (lru_crawler metadump): it closed the connection, or said nothing");
        });
    }
}
