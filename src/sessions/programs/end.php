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
    private const BYTES_AT_ONCE = 16 << 20;
    /** Larger sessions are skipped: PHP needs several times as much memory to read them. */
    private const LARGEST_BYTES = 64 << 20;

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
            yield array_map('strval', array_keys($this->store->measure($this->ring->namesFor($id))));
            return;
        }
        foreach ($this->store->keys() as $keys) {
            $this->progress->add(count($keys));
            foreach ($where === null ? [$keys] : $this->groups($keys) as $some) {
                yield $where === null ? $some : $this->matching($some, $where);
            }
        }
    }

    /** Sessions that there is memory for at once. */
    private function groups(array $keys): iterable
    {
        [$group, $bytes] = [[], 0];
        foreach ($this->store->measure($keys) as $key => [$size]) {
            if ($size > self::LARGEST_BYTES) {
                $this->unreadable++;
                continue;
            }
            if (count($group) === self::AT_ONCE || $bytes + $size > self::BYTES_AT_ONCE) {
                yield $group;
                [$group, $bytes] = [[], 0];
            }
            $group[] = (string) $key;
            $bytes += $size;
        }
        yield $group;
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

/** Gives a closure the sessions of a store that are to end, in lists. Returns how many could not be read. */
function eachEnding(string $name, \Closure $take): int
{
    $progress = new Progress('looked at', Asked::$question['id'] === null ? openStore($name)->total() : null);
    $ending = new Ending($name, $progress);
    foreach ($ending->keys() as $keys) {
        $keys === [] || $take($keys);
    }
    $progress->end();
    return $ending->unreadable;
}

answer(function (): array {
    ['id' => $id, 'isTrial' => $isTrial, 'stores' => $stores] = Asked::$question;
    // While sessions move there are two stores, and the first is the previous one.
    $names = array_keys($stores);
    $isMoving = count($names) > 1;
    $count = $unreadable = 0;
    $held = [];
    // A request may have given a session another id during the first pass. The second pass waits for sessions that
    // requests still have.
    $waits = $isTrial || ($id !== null && !$isMoving) ? [0.0] : [1.0, INF];
    foreach ($waits as $seconds) {
        $moving = $isMoving && !$isTrial ? new MovingSessions($seconds) : null;
        foreach ($names as $i => $name) {
            $first = $i > 0 && $isTrial ? openStore($names[0]) : null;
            $store = $isTrial ? null : $moving ?? openStore($name);
            $unknown = eachEnding($name, function (array $keys) use (&$count, $first, $store): void {
                // One that is in both is counted once.
                $count += $store === null ? count($keys) - count($first?->measure($keys) ?? []) : $store->end($keys);
            });
            $unreadable = max($unreadable, $unknown);
        }
        $held = $moving?->held ?? [];
    }
    return ['count' => $count, 'unreadable' => $unreadable, 'held' => count($held), 'why' => reset($held) ?: ''];
});
