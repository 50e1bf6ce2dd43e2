<?php
// The commands of the managed handler, and whether a server executes them. Joined to memcached.php and to the
// handler's own files, so that the server gets the same bytes.

/** How long all of them may take together. */
const HANDLER_SECONDS = 1.0;

/** Returns the first command that the server does not execute, null if it executes all, and its answer. */
function tryHandler(array $question, array $server): array
{
    $trial = new Trial();
    try {
        $trial->run(openForHandler($question, $server), $question['prefix'], 'php-sessions-doctor-' . bin2hex(random_bytes(8)));
    } catch (ServerFailed $failure) {
        return ['command' => $trial->command, 'said' => $failure->getMessage()];
    }
    return ['command' => null, 'said' => ''];
}

function openForHandler(array $question, array $server): Protocol
{
    ['user' => $user, 'password' => $password] = $question;
    $transport = new Transport($server, null, bin2hex(random_bytes(8)));
    $transport->open(HANDLER_SECONDS);
    return Protocol::begin($transport, $user, $password, HANDLER_SECONDS);
}

/** Keeps a lock with a line and a session, as requests do. What has an old number must be refused. */
final class Trial
{
    public string $command = 'the first command';
    private Protocol $protocol;
    private string $key;
    private string $lock;

    public function run(Protocol $protocol, string $prefix, string $id): void
    {
        [$this->protocol, $this->key, $this->lock] = [$protocol, "$prefix$id", "{$prefix}lock.$id"];
        $first = $this->see(['add', $this->lock, 'A', 10], 'A', null);
        $second = $this->see(['append', $this->lock, ' B'], 'A B', null);
        $this->see(['cas', $this->lock, 'C', 10, $first], 'A B', null);
        $third = $this->see(['cas', $this->lock, 'B', 10, $second], 'B', null);
        $this->see(['add', $this->key, 'doctor', 10], 'B', 'doctor');
        $this->see(['touch', $this->key, 10], 'B', 'doctor');
        $this->see(['replace', $this->key, 'session', 10], 'B', 'session');
        $this->see(['delete', $this->lock, $second], 'B', 'session');
        $this->see(['delete', $this->lock, $third], null, 'session');
        $this->see(['delete', $this->key], null, null);
    }

    /** Sends a command, and reads the lock and the session in the same write; returns the lock's number. */
    private function see(array $command, ?string $lock, ?string $data): string|int
    {
        $this->command = $command[0];
        [, $held, $found] = $this->protocol->ask([$command, ['get', $this->lock], ['get', $this->key]], null);
        $seen = [$held[0] ?? null, $found[0] ?? null];
        if ($seen !== [$lock, $data]) {
            throw new ServerFailed('it keeps ' . json_encode($seen) . ', expected ' . json_encode([$lock, $data]));
        }
        return $held[1] ?? 0;
    }
}
