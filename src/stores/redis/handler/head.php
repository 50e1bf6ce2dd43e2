<?php
/*
 * The managed session handler of php-sessions: PHP sessions in Redis or Valkey, one server, Sentinel or Cluster.
 *
 * Installed by auto_prepend_file. A request runs two scripts, which are its two round trips: one takes the lock and
 * reads, one writes and releases. Who must wait queues in BLPOP and is woken by whoever releases. Keys and
 * bytes of the data are those of phpredis' own handlers. docs/managed-handler.md has the protocol and why each step is
 * safe.
 */

namespace PhpSessions;

/** The store cannot do what it must; the message names the cause and no secret. */
final class StoreFailed extends \Exception
{
}
