<?php
// Tries each server step by step: its name, its port, TLS, and its first reply. Follows tls.php, certificates.php,
// greetings.php.

const CONNECT_SECONDS = 2.0;
const ANSWER_SECONDS = 1.5;
// Less than the limit of the probe, so that it can still tell which server took so long.
const ALL_SECONDS = 2.6;

$started = hrtime(true);
$answer = ['servers' => []];
foreach ($question['servers'] as $server) {
    $tell = fn (array $found) => answer(['servers' => [...$answer['servers'], $found]]);
    $tell(['state' => 'resolving']);
    $answer['servers'][] = remaining() < 0.1 ? ['state' => 'untried'] : reach($question, $server, $tell);
}
answer($answer);

/** The seconds that a step may take: none may outlast the probe. */
function remaining(float $most = ALL_SECONDS): float
{
    return max(0.01, min($most, ALL_SECONDS - millisecondsSince($GLOBALS['started']) / 1000));
}

function reach(array $question, array $server, callable $tell): array
{
    $path = $server['host'];
    if (str_starts_with($path, '/') && file_exists($path) && @filetype($path) !== 'socket') {
        return ['state' => 'refused', 'said' => 'it is a ' . (is_dir($path) ? 'directory' : 'file') . ', not a socket'];
    }
    $start = hrtime(true);
    $socket = openSocket($server, [], CONNECT_SECONDS, $error);
    if ($socket === false) {
        $isName = str_contains($error, 'getaddrinfo');
        $state = match (true) {
            $isName => 'unresolved',
            str_contains($error, 'timed out') => 'slow',
            str_contains($error, 'reset by peer') => 'closed',
            default => 'refused',
        };
        return ['state' => $state, 'said' => $error];
    }
    $found = ['address' => stream_socket_get_name($socket, true)];
    $tell(['state' => 'silent'] + $found);
    if (!$question['tls']) {
        return greetPlain($question, $server, $socket) + ['milliseconds' => millisecondsSince($start)] + $found;
    }
    fclose($socket);
    return secure($question, $server) + ['milliseconds' => millisecondsSince($start)] + $found;
}

function openSocket(array $server, array $tls, float $seconds, ?string &$error)
{
    ['host' => $host, 'port' => $port] = $server;
    $isSocket = str_starts_with($host, '/');
    $address = $isSocket ? "unix://$host" : 'tcp://' . (str_contains($host, ':') ? "[$host]" : $host) . ":$port";
    $kept = ['peer_name' => $host, 'capture_peer_cert' => true, 'capture_peer_cert_chain' => true];
    $context = stream_context_create(['ssl' => $tls + $kept]);
    Said::$lines = [];
    $socket = stream_socket_client($address, $number, $error, remaining($seconds), STREAM_CLIENT_CONNECT, $context);
    // Only the warning says that a name cannot be resolved.
    $error = trim((Said::$lines[0] ?? '') . ' ' . $error);
    return $socket;
}

/** Makes the handshake as phpredis does. After a failure makes it again without verifying, to see the certificate. */
function secure(array $question, array $server): array
{
    $tls = ['verify_peer_name' => true] + tlsOptionsFor($server['host']);
    $socket = openSocket($server, $tls, ANSWER_SECONDS, $error);
    if ($socket === false) {
        return ['state' => 'refused', 'said' => $error];
    }
    $start = hrtime(true);
    $isDone = shakeHands($socket, $tls);
    $said = implode('; ', Said::$lines);
    if ($isDone === true) {
        return greet($socket, $question['kind'], ANSWER_SECONDS);
    }
    fclose($socket);
    $isSlow = millisecondsSince($start) >= ANSWER_SECONDS * 1000 - 50;
    $certificate = $isSlow ? null : certificate($server, $question, $tls);
    if ($certificate !== null) {
        // A server may send the CA's certificate after its own: the expired one of the binding says more.
        $caEnded = $certificate['isOwnOver'] ? null : endOfCa($question);
        $isExpired = $certificate['isOver'] && $caEnded === null;
        $state = str_contains($said, 'did not match') ? 'tls-name' : ($isExpired ? 'tls-expired' : 'tls-ca');
        return ['state' => $state, 'said' => $said, 'certificate' => $certificate, 'caEnded' => $caEnded];
    }
    $plain = openSocket($server, [], ANSWER_SECONDS, $error);
    $greeting = $plain === false ? ['state' => 'closed', 'said' => $error] : greetPlain($question, $server, $plain, 0.6, false);
    if (!in_array($greeting['state'], ['silent', 'closed', 'alert'], true)) {
        return $greeting['state'] === 'speaks' ? ['state' => 'speaks-plain'] : $greeting;
    }
    // A Redis without a connection left closes a new one at once, and cannot say why.
    $isCut = $greeting['state'] === 'closed' && preg_match('/^$|reset by peer|unexpected eof/', $said) === 1;
    return ['state' => $isSlow ? 'silent' : ($isCut ? 'tls-closed' : 'tls-failed'), 'said' => $said];
}

/** True, false, or 0 where the other side has not answered yet. */
function shakeHands($socket, array $tls): bool|int
{
    return stream_socket_enable_crypto($socket, true, $tls['crypto_method'] ?? STREAM_CRYPTO_METHOD_TLS_CLIENT);
}

/** Reads the certificate of a server without verifying it; null if the server speaks no TLS. */
function certificate(array $server, array $question, array $tls): ?array
{
    $unchecked = ['verify_peer' => false, 'verify_peer_name' => false] + $tls;
    $socket = openSocket($server, $unchecked, ANSWER_SECONDS, $error);
    if ($socket === false || shakeHands($socket, $tls) !== true) {
        return null;
    }
    $options = stream_context_get_options($socket)['ssl'];
    $certificate = openssl_x509_parse($options['peer_certificate']);
    $names = preg_replace('/(DNS|IP Address):/', '', $certificate['extensions']['subjectAltName'] ?? '');
    // Any certificate of the chain may be the expired one.
    $chain = array_map('openssl_x509_parse', $options['peer_certificate_chain'] ?? []);
    $over = array_values(array_filter([$certificate, ...$chain], 'isOver'))[0] ?? null;
    $dated = $over ?? $certificate;
    return [
        'names' => $names !== '' ? $names : $certificate['subject']['CN'] ?? '',
        'issuer' => $certificate['issuer']['CN'] ?? $certificate['issuer']['O'] ?? '',
        'from' => gmdate('Y-m-d', $dated['validFrom_time_t']),
        'to' => gmdate('Y-m-d', $dated['validTo_time_t']),
        'isOver' => $over !== null,
        'isOwnOver' => $over === $certificate,
    ];
}

function isOver(array $certificate): bool
{
    return $certificate['validTo_time_t'] < time() || $certificate['validFrom_time_t'] > time();
}

/** When the CA certificates of the question ended, if one has; null if all are valid. */
function endOfCa(array $question): ?string
{
    preg_match_all('/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/s', (string) $question['ca'], $texts);
    foreach (array_filter(array_map('openssl_x509_parse', $texts[0])) as $certificate) {
        if ($certificate['validTo_time_t'] < time()) {
            return gmdate('Y-m-d', $certificate['validTo_time_t']);
        }
    }
    return null;
}

function millisecondsSince(int $start): float
{
    return round((hrtime(true) - $start) / 1e6, 1);
}
