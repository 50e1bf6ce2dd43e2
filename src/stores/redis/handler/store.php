<?php

namespace PhpSessions;

use function array_keys, implode, microtime, preg_match, preg_replace, str_starts_with, usleep;

/** The store as its file describes it. Runs commands on the server that has a key, and tries again within limits. */
final class Store
{
    /** Replies that end by themselves: while a master is being replaced, slots move or a server is starting. */
    private const PASSING = '/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|MOVED|ASK)\b/';
    private const REFUSED = '/^(WRONGPASS|NOPERM|OOM|MISCONF|WRONGTYPE|ERR|NOAUTH)\b/';
    private const NEEDED = ['topology', 'servers', 'prefix'];
    private const FAILOVER_SECONDS = 8;
    private const PAUSE_MICROSECONDS = 100_000;
    private const POLL_MICROSECONDS = 20_000;
    /** The note of a connection to one address that hides a cluster: proxies of some hosters do. */
    private const HIDES_CLUSTER = 2;

    public array $settings;
    private readonly Settings $file;
    private bool $isSingle;
    private ServerMap $map;
    /** @var array<int, array<string, Connection>> by the process and the names of their servers */
    private array $connections = [];
    /** @var array<string, true> by the tokens with which a TAKE was on its way when the connection was lost */
    private array $lost = [];

    public function __construct(string $file)
    {
        $this->file = new Settings($file, self::NEEDED);
        $this->apply($this->file->read());
    }

    private function apply(#[\SensitiveParameter] array $settings): void
    {
        $this->settings = $settings;
        $this->isSingle = $settings['topology'] === 'single';
        $this->map = new ServerMap($settings);
        $this->connections = [];
    }

    /**
     * The keys of a session: data, lock, waiters, call, and the beginning of the marks' names. On a single server the lock
     * has the name that phpredis gives it, so that both handlers exclude each other; on a cluster all keys must be in the
     * slot of the data (see `namesOn`).
     */
    public function keys(#[\SensitiveParameter] string $id): array
    {
        $key = $this->settings['prefix'] . $id;
        $name = $this->settings['topology'] === 'cluster' ? "{{$key}}" : $key;
        return [$key, "{$name}_LOCK", "{$name}_WAIT", "{$name}_NEXT", "{$name}_DONE_"];
    }

    /**
     * Runs a script, given with its hash. It must return $token first, so that the reply to an earlier command is never
     * taken for its own.
     *
     * Two more arguments follow $arguments: the name of the server if a failover may replace it, or an empty one, and which
     * command with this token was lost, since it may have run or may still arrive: 0 none, 1 a TAKE, 2 a RELEASE.
     * A release is tried for longer. `$note` comes last.
     */
    public function script(
        array $script,
        array $keys,
        string $token,
        #[\SensitiveParameter] array $arguments,
        bool $isRelease = false,
        ?string $note = null,
    ): array {
        $keys[4] .= $token;
        $run = function (Resp $server, bool $mayHaveRun) use ($script, $keys, $token, $arguments, $isRelease, $note): array {
            if ($mayHaveRun && !$isRelease) {
                $this->lost[$token] = true;
            }
            $arguments[] = $this->isSingle ? '' : " @{$this->map->last}";
            $arguments[] = $mayHaveRun && $isRelease ? 2 : (int) $this->mayArriveLate($token);
            $note === null || $arguments[] = $note;
            try {
                return $server->run($script, $this->namesOn($server, $keys), $token, $arguments);
            } catch (ServerFailed $failure) {
                if (!$this->isSingle || !str_starts_with($failure->getMessage(), 'CROSSSLOT')) {
                    throw $failure;
                }
                $server->transport->note = self::HIDES_CLUSTER;
                return $server->run($script, $this->namesOn($server, $keys), $token, $arguments);
            }
        };
        return $this->attempt($keys[0], $isRelease, $run, mustBeCurrent: !$this->isSingle);
    }

    /** Whether a TAKE with this token may still be on its way. */
    public function mayArriveLate(string $token): bool
    {
        return isset($this->lost[$token]);
    }

    /** A server that hides a cluster wants the keys of a script in one slot, as a cluster does. */
    private function namesOn(Resp $server, #[\SensitiveParameter] array $keys): array
    {
        return $server->transport->note === self::HIDES_CLUSTER
            ? preg_replace('/^(.*)(_LOCK|_WAIT|_NEXT|_PREV|_DONE_[0-9a-f]+)$/Ds', '{$1}$2', $keys)
            : $keys;
    }

    /** The text that another key of a session has; null if there is none. */
    public function get(#[\SensitiveParameter] string $key): ?string
    {
        $ask = fn (Resp $server): ?string => $server->ask(['GET', ...$this->namesOn($server, [$key])]);
        return $this->attempt($key, false, $ask, mustBeCurrent: !$this->isSingle);
    }

    /** Waits until a list has an element and removes it. Returns whether there was one in time. */
    public function waitFor(string $list, int $seconds): bool
    {
        return $this->attempt($list, false, function (Resp $server) use ($list, $seconds): bool {
            [$list] = $this->namesOn($server, [$list]);
            try {
                // A server that says nothing is noticed as late as with any other command.
                return $server->ask(['BLPOP', $list, $seconds], $seconds + $this->settings['readSeconds']) !== null;
            } catch (ServerFailed $failure) {
                return str_starts_with($failure->getMessage(), 'ERR unknown command')
                    ? $this->poll($server, $list, $seconds)
                    : throw $failure;
            }
        });
    }

    /** The same for proxies without blocking commands. */
    private function poll(Resp $server, string $list, int $seconds): bool
    {
        for ($end = microtime(true) + $seconds; microtime(true) < $end; usleep(self::POLL_MICROSECONDS)) {
            if ($server->ask(['LPOP', $list]) !== null) {
                return true;
            }
        }
        return false;
    }

    /**
     * Runs a command until it succeeds or its time is over. `$command` gets whether it may have run already.
     *
     * A server that was frozen may answer before it has heard that another has taken its place. An answer that must be
     * of the current server, and took longer than the map stays fresh, counts only if the others still name this server.
     */
    private function attempt(
        #[\SensitiveParameter] string $key,
        bool $isRelease,
        \Closure $command,
        bool $mustBeCurrent = false,
    ): mixed {
        $start = microtime(true);
        $deadline = $start + self::FAILOVER_SECONDS;
        $mayHaveRun = false;
        for ($try = 0;; $try++) {
            $isTooLarge = false;
            try {
                $connection = $this->connectionFor($key, $deadline);
                $sent = microtime(true);
                $answer = $connection->run($command, $mayHaveRun);
                if (!$mustBeCurrent || microtime(true) - $sent < ServerMap::FRESH_SECONDS) {
                    return $answer;
                }
                $mayHaveRun = true;
                if ($this->map->isStill($key, $deadline)) {
                    return $answer;
                }
                $why = 'another server took its place before it answered';
            } catch (ServerFailed $error) {
                $why = $error->getMessage();
                $mayHaveRun = $mayHaveRun || $error->getCode() === ServerFailed::LOST;
                $isTooLarge = $error->getCode() === ServerFailed::TOO_LARGE;
            }
            $isPassing = preg_match(self::PASSING, $why) === 1;
            if (!$isPassing && !$isTooLarge && $this->reread()) {
                continue;
            }
            $seconds = $this->patienceSeconds($why, $isPassing, $isRelease, $mayHaveRun);
            if (microtime(true) - $start >= $seconds || $isTooLarge || preg_match(self::REFUSED, $why)) {
                $where = $this->map->last ?: implode(', ', array_keys(ServerMap::byName($this->settings['servers'])));
                throw new StoreFailed("$where: $why", $isTooLarge ? StoreFailed::TOO_LARGE : StoreFailed::AWAY);
            }
            if ($try > 0) {
                usleep(self::PAUSE_MICROSECONDS);
            }
            if (!$this->isSingle) {
                $this->map->update($why, $deadline);
            }
        }
    }

    /** For how many seconds a command is tried again. */
    private function patienceSeconds(string $why, bool $isPassing, bool $isRelease, bool $mayHaveRun): float
    {
        $isLoading = str_starts_with($why, 'LOADING');
        return match (true) {
            !$this->isSingle => self::FAILOVER_SECONDS,
            // Nothing replaces a single server that is a replica, for example.
            $isPassing && !$isLoading => 0,
            $isRelease => self::FAILOVER_SECONDS,
            // As long as the command may still run: if the request ended before, it could be given a lock.
            $mayHaveRun || $this->lost !== [] => $this->settings['readSeconds'],
            $isLoading => $this->settings['connectSeconds'],
            default => 0,
        };
    }

    /** Closes the connections, on which a reply may be unread. */
    public function disconnect(): void
    {
        foreach ($this->connections[processId()] ?? [] as $connection) {
            $connection->close();
        }
    }

    /** Whether the file has new settings, which are used from now on. */
    private function reread(): bool
    {
        $isNew = $this->file->isNew();
        if ($isNew) {
            $this->apply($this->file->values);
        }
        return $isNew;
    }

    private function connectionFor(#[\SensitiveParameter] string $key, float $deadline): Connection
    {
        $server = $this->map->serverFor($key, $deadline);
        ['connectSeconds' => $toConnect, 'readSeconds' => $toRead] = $this->settings;
        return $this->connections[processId()][$this->map->last] ??= new Connection($server, $this->settings, [$toConnect, $toRead]);
    }

    /** What an app's var_dump may show. */
    public function __debugInfo(): array
    {
        return [];
    }
}
