<?php

namespace Symfony\Component\HttpFoundation\Session\Storage;

/**
 * What Symfony calls, since it does so without a backslash: by default it wraps PHP's own SessionHandler, behind which PHP
 * would put phpredis. Ours stays in its place. A handler of the app's own, as one that encrypts, gets what it asks for.
 */
function session_set_save_handler(object $handler, bool $register = true): bool
{
    $inner = $handler;
    while ($inner instanceof Proxy\SessionHandlerProxy || $inner instanceof Handler\StrictSessionHandler) {
        $inner = (fn (): ?object => $this->handler ?? null)->call($inner);
    }
    $isDefault = $inner !== null && $inner::class === \SessionHandler::class;
    return $isDefault && ini_get('session.save_handler') === 'user' || \session_set_save_handler($handler, $register);
}
