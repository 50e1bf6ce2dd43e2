<?php

namespace PhpSessions;

/** The sessions of the store that these settings describe. */
function openRedisSessions(string $file): Places
{
    $open = static function () use ($file): Store {
        static $store = null;
        return $store ??= new Store($file);
    };
    return new Places($open, static fn (): LockedSession => new RedisSession($open));
}
