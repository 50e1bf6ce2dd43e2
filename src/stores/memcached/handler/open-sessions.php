<?php

namespace PhpSessions;

/** The sessions of the store that these settings describe. */
function openMemcachedSessions(string $file): Places
{
    $open = static function () use ($file): Cache {
        static $cache = null;
        return $cache ??= new Cache($file);
    };
    return new Places($open, static fn (): LockedSession => new MemcachedSession($open));
}
