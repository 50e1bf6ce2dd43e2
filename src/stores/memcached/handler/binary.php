<?php

namespace PhpSessions;

use function in_array, pack, strlen, substr, unpack;

/**
 * The binary protocol, for servers with logins (SASL) and for those without meta commands.
 *
 * A number makes a REPLACE conditional, like a SET; but a SET that is too large deletes what is there.
 */
final class Binary extends Protocol
{
    private const CODES = [
        'get' => 0x00, 'add' => 0x02, 'replace' => 0x03, 'cas' => 0x03, 'delete' => 0x04,
        'append' => 0x0e, 'touch' => 0x1c, 'login' => 0x21,
    ];
    /** Statuses of commands that were not done: no such item, another one is there or it has changed, not stored. */
    private const NOT_DONE = [0x01, 0x02, 0x05];
    private const REFUSALS = [
        0x03 => self::TOO_LARGE,
        0x20 => 'the server refuses the login',
        0x81 => 'the server does not know this command',
        0x82 => self::FULL,
    ];

    /** Logs in; without a login it finds out whether the server speaks this protocol and asks for none. */
    public function logIn(?string $user, #[\SensitiveParameter] ?string $password): void
    {
        try {
            $this->ask($password === null ? [['get', 'a']] : [['login', 'PLAIN', "\0$user\0$password"]], null);
        } catch (ServerFailed $failure) {
            $why = match ($failure->getMessage()) {
                self::REFUSALS[0x20] => $password === null ? 'the server asks for a login, and the binding has none' : self::REFUSALS[0x20],
                self::REFUSALS[0x81] => 'the server has no logins (SASL), and the binding has one',
                default => $failure->getMessage(),
            };
            throw new ServerFailed($why, $failure->getCode());
        }
    }

    protected function encode(#[\SensitiveParameter] array $command, int $number): string
    {
        [$name, $key, $value, $seconds, $cas] = $command + [2 => '', 3 => 0, 4 => 0];
        [$extras, $value, $cas] = match ($name) {
            'add', 'replace', 'cas' => [pack('NN', 0, $seconds), $value, $cas],
            'touch' => [pack('N', $value), '', 0],
            'delete' => ['', '', (int) $value],
            default => ['', $value, 0],
        };
        $length = strlen($extras) + strlen($key) + strlen($value);
        $header = pack('CCnCCnNNJ', 0x80, self::CODES[$name], strlen($key), strlen($extras), 0, 0, $length, $number, $cas);
        return "$header$extras$key$value";
    }

    protected function decode(array $command, int $number): array|bool|null|ServerFailed
    {
        $header = unpack('Cmagic/Ccode/nkey/Cextras/Ctype/nstatus/Nlength/Nnumber/Jcas', $this->transport->bytes(24));
        $skipped = $header['key'] + $header['extras'];
        if ($header['magic'] !== 0x81 || $skipped > $header['length']) {
            $this->transport->fail('the answer is not Memcached\'s');
        }
        if ($header['code'] !== self::CODES[$command[0]] || $header['number'] !== $number) {
            $this->transport->fail('the answer belongs to another command');
        }
        $value = substr($this->transport->bytes($header['length']), $skipped);
        $status = $header['status'];
        return match (true) {
            $status === 0 => $command[0] === 'get' ? [$value, $header['cas']] : true,
            in_array($status, self::NOT_DONE, true) => $command[0] === 'get' ? null : false,
            default => new ServerFailed(self::REFUSALS[$status] ?? "the server refuses a command, status $status", ServerFailed::REFUSED),
        };
    }
}
