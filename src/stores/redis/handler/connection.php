<?php

namespace PhpSessions;

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
