<?php

namespace PhpSessions;

/** The servers that have the sessions: one, the master that the Sentinels name, or all masters of a cluster. */
final class RedisServers
{
    /** As in Store: replies that end by themselves. */
    private const PASSING = '/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MOVED|ASK)\b/';
    private const PATIENCE_SECONDS = 8;

    private readonly ServerMap $map;
    /** @var array<string, Connection> */
    private array $connections = [];

    public function __construct(#[\SensitiveParameter] private readonly array $settings)
    {
        $this->map = new ServerMap($settings);
    }

    public function all(): array
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
    public function ask(array $server, #[\SensitiveParameter] array $commands): array
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
    public static function valid(mixed $answer, array $server): mixed
    {
        if ($answer instanceof ServerFailed) {
            $isDenied = preg_match("/^NOPERM|can't run this command/", $answer->getMessage()) === 1;
            $advice = $isDenied ? '; see php-sessions explain --acl --operator' : '';
            throw new StoreFailed(serverName($server) . ": {$answer->getMessage()}$advice");
        }
        return $answer;
    }
}
