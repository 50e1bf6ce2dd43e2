<?php
/*
 * The managed session handler of php-sessions: keeps PHP's sessions in Redis or Valkey, on one server, behind Sentinels
 * or on a cluster.
 *
 * PHP runs this file before each page (auto_prepend_file). A request runs two scripts, which are its two round trips:
 * the first takes the lock and reads the session, the second writes the session and releases the lock. A request that
 * has to wait blocks in BLPOP; the request that releases the lock wakes it. Keys and data have the same names and bytes
 * as with phpredis' own handlers. docs/internals/managed-handler-protocol.md describes the protocol.
 */
