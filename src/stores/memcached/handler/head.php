<?php
/*
 * The managed session handler of php-sessions: keeps PHP's sessions on a Memcached server.
 *
 * PHP runs this file before each page (auto_prepend_file). A request awaits two answers: the first takes the lock and reads
 * the session, the second writes the session and releases the lock. A request that has to wait puts itself into a line,
 * which is in the lock, and asks more often the nearer its turn is. Keys, data and times to live are those of
 * php-memcached's own handler. docs/internals/managed-memcached-protocol.md describes the protocol.
 */
