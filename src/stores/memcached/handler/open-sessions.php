<?php

namespace PhpSessions;

/** The sessions of the store that these settings describe. */
function openMemcachedSessions(string $file): Places
{
    $open = static function () use ($file): Cache {
        static $cache = null;
        return $cache ??= new Cache($file);
    };
    // A session that moves from one place to another is not new.
    $lifetime = new Lifetime();
    return new Places($open, static fn (): LockedSession => new MemcachedSession($open, $lifetime));
}
