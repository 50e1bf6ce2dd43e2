<?php

namespace PhpSessions;

/**
 * Sessions that move from one store to another. Each is locked and removed in both, the previous one first, as a request of the
 * app does it that ends its session: so none is taken from one of them again, whatever other requests do meanwhile.
 */
final class MovingSessions
{
    /** @var array<string, LockedSession> by the names of their stores */
    private array $sessions;
    /** @var array<string, string> why sessions were not ended, by their keys */
    public array $held = [];

    /** The longest wait for a session that a request has. */
    public function __construct(float $seconds)
    {
        foreach (array_keys(Asked::$question['stores']) as $name) {
            $settings = &Asked::$question['stores'][$name]['settings'];
            $settings['longestSeconds'] ??= $settings['waitSeconds'];
            $settings['waitSeconds'] = min($seconds, $settings['longestSeconds']);
            // The answer, not a log, says what it waits for.
            $settings['slowWaitSeconds'] = 0;
            $this->sessions[$name] = self::open($name);
        }
    }

    private static function open(string $name): LockedSession
    {
        switch (Asked::$question['stores'][$name]['kind']) {
            case 'redis':
                $store = new Store($name);
                return new RedisSession(fn (): Store => $store, new Lifetime());
            case 'memcached':
                $cache = new Cache($name);
                return new MemcachedSession(fn (): Cache => $cache, new Lifetime());
            default:
                return new FilesSession($name);
        }
    }

    /** Returns how many there were. */
    public function end(array $keys): int
    {
        return count(array_filter($keys, fn ($key): bool => Warnings::quietly(fn (): bool => $this->endOne((string) $key))));
    }

    private function endOne(string $key): bool
    {
        $isThere = false;
        $taken = [];
        try {
            foreach ($this->sessions as $session) {
                if (self::take($session, $key)) {
                    $taken[] = $session;
                    $isThere = $isThere || $session->data() !== false;
                }
            }
            foreach ($taken as $session) {
                $session->release('delete', '', '');
            }
            return $isThere;
        } catch (StoreFailed $failure) {
            foreach ($taken as $session) {
                $session->holds() && $session->release('nothing');
            }
            if (!in_array($failure->getCode(), [0, StoreFailed::TOO_MANY], true)) {
                throw $failure;
            }
            $this->held[$key] = $failure->getMessage();
            return false;
        }
    }

    /** Whether the store can have such a session, which is locked then. */
    private static function take(LockedSession $session, string $key): bool
    {
        try {
            return $session->accepts($key) && $session->take($key);
        } catch (StoreFailed $failure) {
            return $failure->getCode() === StoreFailed::NAMELESS ? false : throw $failure;
        }
    }
}
