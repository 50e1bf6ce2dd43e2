<?php

namespace PhpSessions;

/** The sessions of the store that these settings describe. */
function openRedisSessions(string $file): Places
{
    $open = static function () use ($file): Store {
        static $store = null;
        return $store ??= new Store($file);
    };
    // A session that moves from one place to another is not new.
    $lifetime = new Lifetime();
    return new Places($open, static fn (): LockedSession => new RedisSession($open, $lifetime));
}
