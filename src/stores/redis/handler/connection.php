<?php

namespace PhpSessions;

/** The connection to one server. It stays open from request to request, and only this handler uses it. */
final class Connection
{
    private const POOL = 'php-sessions';
    /** The code of an exception after a lost connection: the command may have run. */
    public const LOST = 1;
    /** What servers reply to a client that must log in first; NOPERM is from a default user without rights. */
    private const MUST_LOG_IN = '/NOAUTH|NOPERM|unauthenticated|[Aa]uthentication required|user executing the script/';

    private ?\Redis $client = null;
    private bool $logsIn = false;

    /** `$access` says how to log in and whether to use TLS; `$seconds` limit connecting and each answer. */
    public function __construct(
        private readonly array $server,
        #[\SensitiveParameter] private readonly array $access,
        private readonly array $seconds,
    ) {
    }

    /**
     * Runs a command on phpredis' client. Logs in only where the server asks for it: a connection that was kept open is
     * logged in already. Closes the connection when the command throws, or the next command would get a late answer.
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
        if ($this->logsIn || !preg_match(self::MUST_LOG_IN, $why)) {
            // phpredis has the same message for a silent server and for one that hangs up.
            $isSilent = $isLost && microtime(true) - $start > $this->seconds[1] * 0.9;
            // Without the previous exception: its stack trace shows the password.
            throw new \RedisException($isSilent ? "no answer for {$this->seconds[1]} seconds" : $why, $isLost ? self::LOST : 0);
        }
        if ($this->login() === null) {
            $isShutOut = str_contains($why, 'NOPERM');
            throw new \RedisException($isShutOut ? $why : 'NOAUTH the server asks for a password, and the binding has none');
        }
        $this->logsIn = true;
        return $this->run($command);
    }

    /** The server's message without what Redis adds for scripts, before 7 also in front, and with advice where it helps. */
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
        ['tls' => $isTls, 'ca' => $ca, 'clientCertificate' => $certificate] = $this->access;
        // Without `i` in the pattern phpredis could hand over a connection of the app, logged in as another user.
        if (!str_contains($pattern = (string) ini_get('redis.pconnect.pool_pattern'), 'i')) {
            setIni('redis.pconnect.pool_pattern', "{$pattern}i");
        }
        // The first command shows whether a kept connection still works; phpredis' ECHO would cost a round trip.
        $echo = setIni('redis.pconnect.echo_check_liveness', '0');
        try {
            $tls = $isTls ? tlsOptions($this->server['host'], $ca, $certificate) : null;
            $client = connectRedis($this->server, $tls, $this->seconds, self::POOL);
        } finally {
            setIni('redis.pconnect.echo_check_liveness', (string) $echo);
        }
        if ($this->logsIn && !$client->auth($this->login())) {
            throw new \RedisException($client->getLastError() ?: 'WRONGPASS the login is refused');
        }
        return $client;
    }

    private function login(): string|array|null
    {
        return phpredisLogin($this->access['user'], $this->access['password']);
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

/** ini_set, which some hosters forbid. */
function setIni(string $name, string $value): string|false
{
    return function_exists('ini_set') ? ini_set($name, $value) : false;
}
