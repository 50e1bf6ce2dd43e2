<?php

namespace PhpSessions;

/** The store cannot be used. The message names the cause and holds no secret. */
final class StoreFailed extends \Exception
{
    /** The code where the store works, but too many requests wait for one session. */
    public const TOO_MANY = 1;
    /** The command has run, and there is no room for its answer. */
    public const TOO_LARGE = 2;
    /** The store as a whole cannot be used. */
    public const AWAY = 3;
    /** The store has no name for such a session, so there is none. */
    public const NAMELESS = 4;
}

/** A server cannot be reached, refuses, or answers something else. The message names the cause and holds no secret. */
final class ServerFailed extends \Exception
{
    /** The server refused the command, and the connection is sound. */
    public const REFUSED = 0;
    /** The connection failed, and the command may have run. */
    public const LOST = 1;
    /** The command did not leave whole, so it cannot have run. */
    public const UNSENT = 2;
    /** The command has run, and there is no room for its answer. */
    public const TOO_LARGE = 3;
}

/** Others than those above are, for example, of a function that the hoster has forbidden. */
function explainFailure(\Throwable $failure): string
{
    $where = $failure instanceof StoreFailed ? '' : ' in line ' . $failure->getLine();
    return $failure->getMessage() . $where;
}
