<?php
// Tries each server step by step: its name, its port, TLS, and its first reply. Follows tls.php, certificates.php.

const CONNECT_SECONDS = 2.0;
const ANSWER_SECONDS = 1.5;
// Less than the limit of the probe, so that it can still tell which server took so long.
const ALL_SECONDS = 2.6;
// Memcached's command in the binary protocol that lists the ways to log in; a server without SASL does not know it.
const LIST_MECHANISMS = "\x80\x20" . "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

$started = hrtime(true);
$answer = ['servers' => []];
foreach ($question['servers'] as $server) {
    $answer['servers'][] = ['state' => 'resolving'];
    answer($answer);
    array_pop($answer['servers']);
    $left = ALL_SECONDS - millisecondsSince($started) / 1000;
    $answer['servers'][] = $left < 0.1 ? ['state' => 'untried'] : reach($question, $server, $left);
}
answer($answer);

function reach(array $question, array $server, float $left): array
{
    $start = hrtime(true);
    $socket = openSocket($server, [], min(CONNECT_SECONDS, $left), $error);
    if ($socket === false) {
        $isName = str_contains($error, 'getaddrinfo');
        $isSlow = str_contains($error, 'timed out');
        return ['state' => $isName ? 'unresolved' : ($isSlow ? 'slow' : 'refused'), 'said' => $error];
    }
    $found = ['address' => stream_socket_get_name($socket, true), 'milliseconds' => millisecondsSince($start)];
    if (!$question['tls']) {
        $greeting = greet($socket, $question['kind'], ANSWER_SECONDS);
        if ($greeting['state'] === 'closed' || $greeting['state'] === 'alert') {
            $certificate = certificate($server, $question, []);
            $greeting['state'] = $certificate === null ? $greeting['state'] : 'speaks-tls';
        }
        return $greeting + $found;
    }
    fclose($socket);
    return secure($question, $server) + $found;
}

function openSocket(array $server, array $tls, float $seconds, ?string &$error)
{
    ['host' => $host, 'port' => $port] = $server;
    $isSocket = str_starts_with($host, '/');
    $address = $isSocket ? "unix://$host" : 'tcp://' . (str_contains($host, ':') ? "[$host]" : $host) . ":$port";
    $context = stream_context_create(['ssl' => $tls + ['peer_name' => $host, 'capture_peer_cert' => true]]);
    Said::$lines = [];
    $socket = stream_socket_client($address, $number, $error, $seconds, STREAM_CLIENT_CONNECT, $context);
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
        return greet($socket, $question['kind'], ANSWER_SECONDS) + ['handshake' => millisecondsSince($start)];
    }
    fclose($socket);
    $isSlow = millisecondsSince($start) >= ANSWER_SECONDS * 1000 - 50;
    $certificate = $isSlow ? null : certificate($server, $question, $tls);
    if ($certificate !== null) {
        $state = str_contains($said, 'did not match') ? 'tls-name' : ($certificate['isOver'] ? 'tls-expired' : 'tls-ca');
        return ['state' => $state, 'said' => $said, 'certificate' => $certificate];
    }
    $plain = openSocket($server, [], ANSWER_SECONDS, $error);
    $greeting = $plain === false ? ['state' => 'closed'] : greet($plain, $question['kind'], 0.6);
    if ($greeting['state'] === 'speaks') {
        return ['state' => 'speaks-plain'];
    }
    return ['state' => $isSlow ? 'silent' : 'tls-failed', 'said' => $said];
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
    $certificate = openssl_x509_parse(stream_context_get_options($socket)['ssl']['peer_certificate']);
    $names = preg_replace('/(DNS|IP Address):/', '', $certificate['extensions']['subjectAltName'] ?? '');
    return [
        'names' => $names !== '' ? $names : $certificate['subject']['CN'] ?? '',
        'issuer' => $certificate['issuer']['CN'] ?? $certificate['issuer']['O'] ?? '',
        'from' => gmdate('Y-m-d', $certificate['validFrom_time_t']),
        'to' => gmdate('Y-m-d', $certificate['validTo_time_t']),
        'isOver' => $certificate['validTo_time_t'] < time() || $certificate['validFrom_time_t'] > time(),
    ];
}

/** Sends what every server of this kind replies to without a login, and tells what it replied. */
function greet($socket, string $kind, float $seconds): array
{
    Said::$lines = [];
    stream_set_timeout($socket, (int) $seconds, (int) (fmod($seconds, 1) * 1e6));
    fwrite($socket, $kind === 'redis' ? "PING\r\n" : LIST_MECHANISMS);
    $line = fread($socket, 200);
    $isSilent = stream_get_meta_data($socket)['timed_out'];
    fclose($socket);
    if ($line === false || $line === '') {
        return ['state' => $isSilent ? 'silent' : 'closed', 'said' => implode('; ', Said::$lines)];
    }
    if ($line[0] === "\x15") {
        return ['state' => 'alert', 'said' => ''];
    }
    if ($kind === 'memcached' && $line[0] === "\x81" && strlen($line) >= 24) {
        return ['state' => 'speaks', 'said' => '', 'hasLogin' => substr($line, 6, 2) === "\0\0"];
    }
    $line = trim(strtok($line, "\n"));
    $isKnown = $kind === 'redis' && preg_match('/^[+-][A-Z]/', $line) === 1;
    return ['state' => $isKnown ? 'speaks' : 'foreign', 'said' => $line];
}

function millisecondsSince(int $start): float
{
    return round((hrtime(true) - $start) / 1e6, 1);
}
