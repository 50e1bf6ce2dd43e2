<?php

namespace PhpSessions;

/** Whether a session has a name with a value, or with any value: `user_id`, or `user.id` for what is within `user`. */
function matches(Structure $session, string $path, ?string $wanted): bool
{
    foreach ($session->items as [$name, $value]) {
        $name = substr((string) strrchr("\0$name", "\0"), 1);
        if ($name === $path && ($wanted === null ? $value !== null : isValue($value, $wanted))) {
            return true;
        }
        if ($value instanceof Structure && str_starts_with($path, "$name.") && matches($value, substr($path, strlen($name) + 1), $wanted)) {
            return true;
        }
    }
    return false;
}

function isValue(mixed $value, string $wanted): bool
{
    return match (true) {
        is_bool($value) => ($value ? 'true' : 'false') === $wanted,
        $value === null => $wanted === 'null',
        is_scalar($value) => (string) $value === $wanted,
        default => false,
    };
}

/** The sessions that are to end, in lists, and how many of them could not be read. */
final class Ending
{
    private const AT_ONCE = 50;

    public int $unreadable = 0;

    private readonly SessionStore $store;
    private readonly Keyring $ring;

    /** Of the store with this name. */
    public function __construct(string $name, private readonly Progress $progress)
    {
        $this->store = openStore($name);
        $this->ring = keyringOf($name);
    }

    public function keys(): iterable
    {
        ['id' => $id, 'where' => $where] = Asked::$question;
        if ($id !== null) {
            yield array_map(strval(...), array_keys($this->store->measure($this->ring->namesFor($id))));
            return;
        }
        foreach ($this->store->keys() as $keys) {
            foreach (array_chunk($keys, self::AT_ONCE) as $some) {
                $this->progress->add(count($some));
                yield $where === null ? $some : $this->matching($some, $where);
            }
        }
    }

    private function matching(array $keys, array $where): array
    {
        $found = [];
        foreach ($this->store->read($keys) as $key => [$data]) {
            $plain = plainOf($this->ring, (string) $key, $data);
            $decoded = $plain === null ? null : decodeSession($plain);
            $this->unreadable += $decoded === null ? 1 : 0;
            if ($decoded !== null && matches($decoded[1], $where['name'], $where['value'])) {
                $found[] = (string) $key;
            }
        }
        return $found;
    }
}

/** Ends them, or counts them only: how many they are, and how many could not be looked into. */
function endSessions(string $name, ?object $by): array
{
    $store = openStore($name);
    $progress = new Progress('looked at', Asked::$question['id'] === null ? $store->total() : null);
    $ending = new Ending($name, $progress);
    $count = 0;
    foreach ($ending->keys() as $keys) {
        $count += $by === null || $keys === [] ? count($keys) : $by->end($keys);
    }
    $progress->end();
    return [$count, $ending->unreadable];
}

answer(function (): array {
    ['id' => $id, 'isTrial' => $isTrial, 'stores' => $stores] = Asked::$question;
    $names = array_keys($stores);
    $isMoving = count($names) > 1;
    $counts = array_fill_keys($names, 0);
    $held = [];
    $unreadable = 0;
    // A request may have given a session another id while the first pass went on. In the second one those are waited for that
    // requests still have.
    $waits = $isTrial || ($id !== null && !$isMoving) ? [0.0] : [1.0, INF];
    foreach ($waits as $seconds) {
        $moving = $isMoving && !$isTrial ? new MovingSessions($seconds) : null;
        foreach ($names as $name) {
            [$count, $unknown] = endSessions($name, $isTrial ? null : $moving ?? openStore($name));
            $counts[$name] += $count;
            $unreadable = max($unreadable, $unknown);
        }
        $held = $moving?->held ?? [];
    }
    // While they move most sessions are in both stores: as many are counted first, and each is ended once.
    $count = $isTrial ? max($counts) : array_sum($counts);
    return ['count' => $count, 'unreadable' => $unreadable, 'held' => count($held), 'why' => reset($held) ?: ''];
});
