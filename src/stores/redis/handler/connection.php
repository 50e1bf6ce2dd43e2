<?php

namespace PhpSessions;

use function hash, preg_match, preg_replace, serialize, str_starts_with;

/** The connection to one server. It stays open from request to request, and only this handler uses it. */
final class Connection
{
    /** What servers reply to a client that must log in first. */
    private const MUST_LOG_IN = '/^NOAUTH|unauthenticated|[Aa]uthentication required|user executing the script/';
    /** What servers without a password reply to one. */
    private const NO_PASSWORD = '/no password is set|without any password configured/';

    private readonly Transport $transport;
    private readonly Resp $server;

    /** `$access` says how to log in and whether to use TLS; `$seconds` limit connecting with the login, and each answer. */
    public function __construct(
        array $server,
        #[\SensitiveParameter] private readonly array $access,
        private readonly array $seconds,
    ) {
        ['tls' => $isTls, 'ca' => $ca, 'clientCertificate' => $certificate] = $access;
        $tls = $isTls ? tlsOptions($server['host'], $ca, $certificate) : null;
        // A child that forks shares its parent's connections, and must not speak on them.
        $identity = [$access['user'], $access['password'], $access['database'], $tls, processId()];
        $this->transport = new Transport($server, $tls, hash('xxh128', serialize($identity)));
        $this->server = new Resp($this->transport, $seconds[1]);
    }

    /**
     * Runs commands. Where the server has given up a connection that was kept, and the first command cannot have run,
     * they are run once more on a new connection. Call it within `Warnings::quietly`.
     */
    public function run(\Closure $commands, mixed ...$arguments): mixed
    {
        Warnings::$first = '';
        while (true) {
            $isKept = $this->transport->isOpen() || $this->open();
            try {
                return $commands($this->server, ...$arguments);
            } catch (ServerFailed $failure) {
                $isStale = $this->mustLogIn($failure) || $failure->getCode() === ServerFailed::UNSENT;
                if ($isStale || $failure->getCode() === ServerFailed::LOST) {
                    $this->transport->close();
                }
                if (!$isStale || !$isKept) {
                    throw $this->explained($failure);
                }
            }
        }
    }

    public function close(): void
    {
        $this->transport->close();
    }

    /** Opens the connection. Returns whether an earlier request has opened it, and logged in. */
    private function open(): bool
    {
        $this->transport->open($this->seconds[0]);
        if ($this->transport->note > 0) {
            return true;
        }
        try {
            $this->logIn();
        } catch (ServerFailed $failure) {
            $this->transport->close();
            throw $this->explained($failure);
        }
        $this->transport->note = 1;
        return false;
    }

    private function logIn(): void
    {
        ['user' => $user, 'password' => $password, 'database' => $database] = $this->access;
        if ($password !== null) {
            try {
                $this->server->askAtOnce(['AUTH', ...($user === null ? [] : [$user]), $password]);
            } catch (ServerFailed $failure) {
                if (!preg_match(self::NO_PASSWORD, $failure->getMessage())) {
                    throw $failure;
                }
            }
        }
        if ($database > 0) {
            $this->server->askAtOnce(['SELECT', $database]);
        }
    }

    private function mustLogIn(ServerFailed $failure): bool
    {
        return $failure->getCode() === ServerFailed::REFUSED && preg_match(self::MUST_LOG_IN, $failure->getMessage()) === 1;
    }

    /** The server's message without what Redis adds for scripts, before 7 also in front, and with advice where it helps. */
    private function explained(ServerFailed $failure): ServerFailed
    {
        $why = preg_replace('/^ERR Error running script.*?: -?(?=[A-Z]{3,} )/', '', $failure->getMessage());
        $why = preg_replace('/,? (script: [0-9a-f]{40}|with args beginning with:).*/', '', $why);
        $advice = match (1) {
            preg_match('/^NOPERM|user executing the script/', $why) => '; see php-sessions explain --acl',
            preg_match('/^ERR unknown command .eval/i', $why) => ': this handler needs scripts, PHP_SESSIONS_HANDLER=native does not',
            default => '',
        };
        $isShutOut = $this->access['password'] === null && !str_starts_with($why, 'NOPERM') && $this->mustLogIn($failure);
        return new ServerFailed(
            $isShutOut ? 'NOAUTH the server asks for a password, and the binding has none' : $why . $advice,
            $failure->getCode(),
        );
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
