<?php
// What a server says first. Joined to network.php.

// Memcached's command in the binary protocol that lists the ways to log in; a server without SASL does not know it.
const LIST_MECHANISMS = "\x80\x20" . "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
// A first reply is a short line, or one packet of Memcached's.
const REPLY_BYTES = 200;

/** Greets without TLS. Without a good answer, tries the other possibilities: TLS, and the other kind of store. */
function greetPlain(array $question, array $server, $socket, float $seconds = ANSWER_SECONDS, bool $triesTls = true): array
{
    $kind = $question['kind'];
    $greeting = greet($socket, $kind, $seconds);
    $isMute = in_array($greeting['state'], ['silent', 'closed', 'alert'], true);
    if ($triesTls && $isMute && $greeting['state'] !== 'silent' && certificate($server, $question, []) !== null) {
        return ['state' => 'speaks-tls'] + $greeting;
    }
    if ($greeting['state'] !== 'silent' && $greeting['state'] !== 'closed') {
        return $greeting;
    }
    // A Redis waits for the end of a line that Memcached's binary protocol does not have; a Memcached with logins closes.
    $other = openSocket($server, [], 0.5, $error);
    $found = $other === false ? $greeting : greet($other, $kind === 'redis' ? 'memcached' : 'text', 0.5);
    if ($kind === 'redis') {
        return $found['state'] === 'speaks' ? ['state' => 'other-store', 'said' => ''] : $greeting;
    }
    return in_array($found['state'], ['other-store', 'text-only'], true) ? $found : $greeting;
}

/** Sends what every server of this kind replies to without a login, and tells what it replied. */
function greet($socket, string $kind, float $seconds): array
{
    Said::$lines = [];
    $greetings = ['redis' => "PING\r\n", 'memcached' => LIST_MECHANISMS, 'text' => "version\r\n"];
    fwrite($socket, $greetings[$kind]);
    [$reply, $isSilent] = readReply($socket, remaining($seconds));
    fclose($socket);
    $said = implode('; ', Said::$lines);
    if ($reply === '') {
        return ['state' => $isSilent ? 'silent' : 'closed', 'said' => $said];
    }
    if ($reply[0] === "\x15") {
        return ['state' => 'alert', 'said' => ''];
    }
    if ($reply[0] === "\x81" && strlen($reply) >= 24) {
        $hasLogin = substr($reply, 6, 2) === "\0\0";
        return ['state' => $kind === 'memcached' ? 'speaks' : 'other-store', 'said' => '', 'hasLogin' => $hasLogin];
    }
    $line = trim(strtok($reply, "\n") ?: '');
    return ['state' => stateOf($kind, $reply, $isSilent), 'said' => $line];
}

/** What kind of server gives a line. */
function stateOf(string $kind, string $reply, bool $isSilent): string
{
    if (preg_match('~^ERROR|^CLIENT_ERROR|^SERVER_ERROR|^VERSION ~', $reply) === 1) {
        return match (true) {
            stripos($reply, 'too many open connections') !== false => $kind === 'redis' ? 'other-store' : 'crowded',
            $kind === 'redis' => 'other-store',
            default => 'text-only',
        };
    }
    // Redis' own errors begin with a word in capitals; those of Envoy do not.
    $isRedis = preg_match('~^(\+PONG|\$4\r\nPONG|-[A-Za-z])~i', $reply) === 1 && str_contains($reply, "\n");
    if ($isRedis) {
        return $kind === 'redis' ? 'speaks' : 'other-store';
    }
    // It sends a byte now and then, but no whole line.
    return $isSilent && !str_contains($reply, "\n") && strlen($reply) < strlen(LIST_MECHANISMS) ? 'dripping' : 'foreign';
}

/** Reads until there is a line, or a packet, or the time is over. Returns what came, and whether the time was over. */
function readReply($socket, float $seconds): array
{
    $deadline = microtime(true) + $seconds;
    $reply = '';
    while (($left = $deadline - microtime(true)) > 0) {
        // With a limit of 0, PHP 8.3 and later do not wait, and do not say that the time is over.
        stream_set_timeout($socket, (int) $left, max(1000, (int) (fmod($left, 1) * 1e6)));
        $part = fread($socket, REPLY_BYTES);
        $reply .= (string) $part;
        $isWhole = str_contains($reply, "\n") || ($reply !== '' && $reply[0] === "\x15")
            || ($reply !== '' && $reply[0] === "\x81" && strlen($reply) >= 24) || strlen($reply) >= REPLY_BYTES;
        if ($isWhole || ((string) $part === '' && !stream_get_meta_data($socket)['timed_out'])) {
            return [$reply, false];
        }
    }
    return [$reply, true];
}
