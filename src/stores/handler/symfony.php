<?php

namespace Symfony\Component\HttpFoundation\Session\Storage;

use function ini_get;

/**
 * Symfony calls this function in place of PHP's, since it writes the name without a backslash.
 *
 * By default Symfony wraps PHP's own SessionHandler, behind which PHP would put phpredis: then the managed handler stays
 * installed. A handler of the app itself, for example one that encrypts, is installed as usual.
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
