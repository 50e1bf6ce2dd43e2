<?php

namespace PhpSessions;

use function array_filter, str_contains;

/** The options of PHP's streams for TLS to a host; null where several hosts share them. The certificates are in files. */
function tlsOptions(?string $host, ?string $ca, ?string $clientCertificate): array
{
    return ['verify_peer' => true] + array_filter([
        'cafile' => $ca,
        'local_cert' => $clientCertificate,
        // PHP would look in the certificate for an IPv6 address with its brackets.
        'peer_name' => str_contains((string) $host, ':') ? $host : null,
        'crypto_method' => hangsInTls13() ? STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT : null,
    ]);
}

/** Whether a PHP waits for ever where a server's TLS 1.3 tickets come before its first answer (php-src GH-10495). */
function hangsInTls13(int $versionId = PHP_VERSION_ID): bool
{
    return $versionId < 80219 || ($versionId >= 80300 && $versionId < 80307);
}
