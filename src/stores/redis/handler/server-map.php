<?php

namespace PhpSessions;

use function array_column, array_combine, array_map, array_push, array_values, clearstatcache, count, file_get_contents,
file_put_contents, filemtime, function_exists, implode, in_array, is_array, is_int, is_readable, is_string,
is_writable, json_decode, json_encode, microtime, preg_match, time, touch, uksort, unpack;

/**
 * Which server has a key: the only one, the master that the Sentinels name, or the node of the cluster with its slot.
 *
 * What one worker has found out is kept in a file for all of them. That file exists from the start, and only those who
 * know the password may write it: it decides where the password is sent.
 */
final class ServerMap
{
    /** How long a Sentinel's answer may be reused. A master being replaced may accept writes for another ten seconds. */
    public const FRESH_SECONDS = 1;

    /** The name of the server that was given last; empty at first. */
    public string $last = '';
    /** The master or the slots, and the server that has named them, as found by this worker or another one. */
    private ?array $map = null;
    private float $checkedAt = 0;
    /** @var array<string, int> by keys */
    private array $slots = [];

    public function __construct(#[\SensitiveParameter] private readonly array $settings)
    {
    }

    /** The server for a key. A search for it ends at the deadline. */
    public function serverFor(#[\SensitiveParameter] string $key, float $deadline): array
    {
        $server = match ($this->settings['topology']) {
            'single' => $this->settings['servers'][0],
            'sentinel' => Warnings::quietly(fn (): array => $this->current($deadline)['master']),
            default => Warnings::quietly(fn (): array => $this->nodeFor($key, $deadline)),
        };
        $this->last = serverName($server);
        return $server;
    }

    /** All servers that have keys. */
    public function servers(float $deadline): array
    {
        if ($this->settings['topology'] === 'single') {
            return $this->settings['servers'];
        }
        $map = Warnings::quietly(fn (): array => $this->current($deadline));
        $servers = $this->isCluster() ? array_column($map['slots'], 2) : [$map['master']];
        return array_values(self::byName($servers));
    }

    public static function byName(array $servers): array
    {
        // PHP 8.1 before 8.1.4 with opcache calls `serverName` where it reads serverName(...) (php-src GH-8140).
        return array_combine(array_map(fn (array $server): string => serverName($server), $servers), $servers);
    }

    /** Whether the server that was given last for this key still has it. Asks another one; throws where none knows. */
    public function isStill(#[\SensitiveParameter] string $key, float $deadline): bool
    {
        $name = $this->last;
        $this->map = Warnings::quietly(fn (): array => $this->find($deadline));
        $this->serverFor($key, $deadline);
        return $this->last === $name;
    }

    private function nodeFor(#[\SensitiveParameter] string $key, float $deadline): array
    {
        $slot = $this->slots[$key] ??= self::slotOf($key);
        foreach ($this->current($deadline)['slots'] as [$first, $last, $server]) {
            if ($first <= $slot && $slot <= $last) {
                return $server;
            }
        }
        throw new ServerFailed("CLUSTERDOWN no server has slot $slot", ServerFailed::UNSENT);
    }

    /** Asks again after a failure. A MOVED reply names the server to ask first. */
    public function update(string $why, float $deadline): void
    {
        $isRedirection = preg_match('/^MOVED \d+ (.+):(\d+)$/', $why, $match) === 1;
        try {
            $find = fn (): array => $this->find($deadline, ...($isRedirection ? [['host' => $match[1], 'port' => (int) $match[2]]] : []));
            $this->map = Warnings::quietly($find);
        } catch (ServerFailed) {
            // Keep the old map until a server gives a newer one.
        }
    }

    /**
     * The map to use now. The master may have been replaced: the first worker that finds the Sentinels' answer too old
     * asks again, and the others keep using it meanwhile.
     */
    private function current(float $deadline): array
    {
        $isOld = !$this->isCluster() && microtime(true) - $this->checkedAt >= self::FRESH_SECONDS;
        if ($this->map !== null && !$isOld) {
            return $this->map;
        }
        $this->checkedAt = microtime(true);
        $this->map = $this->recall() ?? $this->map;
        if ($this->map === null) {
            $this->map = $this->find($deadline);
        } elseif ($isOld && time() - (int) filemtime($this->settings['stateFile']) >= self::FRESH_SECONDS) {
            touch($this->settings['stateFile']);
            $this->update('', $deadline);
        }
        return $this->map;
    }

    /**
     * Asks these servers, then every server that is known. The Sentinel that last answered comes first, the server that
     * was given last, which has failed, comes last.
     */
    private function find(float $deadline, array ...$servers): array
    {
        array_push($servers, ...$this->settings['servers'], ...array_column($this->map['slots'] ?? [], 2));
        $servers = self::byName($servers);
        $rank = fn (string $name): array => [$name === $this->last, $name !== ($this->map['by'] ?? '')];
        uksort($servers, fn (string $a, string $b) => $rank($a) <=> $rank($b));
        $why = [];
        foreach ($servers as $name => $server) {
            if ($why !== [] && microtime(true) > $deadline) {
                break;
            }
            // A server that does not answer within a second is skipped.
            $connection = new Connection($server, ['database' => 0] + ($this->settings['sentinel'] ?? []) + $this->settings, [1.0, 1.0]);
            try {
                return $this->remember($connection->run(fn (Resp $asked) => $this->ask($asked, $server, $name)));
            } catch (ServerFailed $error) {
                $why[] = "$name {$error->getMessage()}";
            }
        }
        $what = $this->isCluster() ? 'no server knows the slots: ' : 'no Sentinel names a master: ';
        throw new ServerFailed($what . implode('; ', $why), ServerFailed::UNSENT);
    }

    private function ask(Resp $asked, array $server, string $name): array
    {
        $found = $this->isCluster()
            ? ['slots' => self::askForSlots($asked, $server)]
            : ['master' => self::askForMaster($asked, $this->settings['sentinel']['masterName']), 'by' => $name];
        return $found + ['origin' => $this->origin()];
    }

    private static function askForMaster(Resp $sentinel, string $name): array
    {
        $found = $sentinel->ask(['SENTINEL', 'get-master-addr-by-name', $name]);
        if (!is_array($found) || count($found) !== 2 || !is_string($found[0]) || !is_string($found[1])) {
            throw new ServerFailed("knows no master $name");
        }
        return ['host' => $found[0], 'port' => (int) $found[1]];
    }

    /** The slots of a cluster: first, last and master of each range. A master without a name is the server itself. */
    private static function askForSlots(Resp $node, array $server): array
    {
        $rows = $node->ask(['CLUSTER', 'SLOTS']);
        $slots = [];
        foreach (is_array($rows) ? $rows : [] as $row) {
            [$first, $last, $master] = is_array($row) ? $row + [null, null, null] : [null, null, null];
            [$host, $port] = is_array($master) ? $master + [null, null] : [null, null];
            if (!is_int($first) || !is_int($last) || !is_int($port) || is_array($host)) {
                throw new ServerFailed('names slots in an unknown form');
            }
            $slots[] = [$first, $last, ['host' => in_array($host, ['', '?', null], true) ? $server['host'] : (string) $host, 'port' => $port]];
        }
        return $slots !== [] ? $slots : throw new ServerFailed('has no slots');
    }

    /** The binding that a map belongs to: after a change of the binding the old map is of no use. */
    private function origin(): array
    {
        return [$this->settings['servers'], $this->settings['sentinel']['masterName'] ?? null];
    }

    private function recall(): ?array
    {
        $file = $this->settings['stateFile'];
        clearstatcache(true, $file);
        $map = !self::isRoot() && is_readable($file) ? json_decode((string) file_get_contents($file), true) : null;
        return ($map['origin'] ?? null) === $this->origin() ? $map : null;
    }

    /** Workers write the file: root asks the servers itself, and goes nowhere that a worker has named. */
    private static function isRoot(): bool
    {
        return function_exists('posix_geteuid') && posix_geteuid() === 0;
    }

    private function remember(array $map): array
    {
        $file = $this->settings['stateFile'];
        if (is_writable($file) && $map !== $this->recall()) {
            // A worker that reads half of the file asks the servers itself.
            file_put_contents($file, json_encode($map), LOCK_EX);
        }
        return $map;
    }

    private function isCluster(): bool
    {
        return $this->settings['topology'] === 'cluster';
    }

    /** The slot of a key: CRC16 (XMODEM) of what is in its first braces, or of the whole key. */
    private static function slotOf(#[\SensitiveParameter] string $key): int
    {
        $crc = 0;
        foreach (unpack('C*', preg_match('/^[^{]*\{([^}]+)\}/', $key, $match) ? $match[1] : $key) as $byte) {
            $byte ^= $crc >> 8;
            $byte ^= $byte >> 4;
            $crc = ($crc << 8 ^ $byte << 12 ^ $byte << 5 ^ $byte) & 0xffff;
        }
        return $crc & 0x3fff;
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
