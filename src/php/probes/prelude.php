<?php
// What every probe of `php-sessions doctor` begins with. The question comes as JSON on stdin, the passwords with it;
// the answer goes to stdout, a line of JSON whenever more is known, so that a probe that is killed has said how far
// it got: the last line counts. No secret is in an answer; see ../checks/probe.ts.

$question = json_decode(stream_get_contents(STDIN), true, 32, JSON_THROW_ON_ERROR);
set_error_handler(function (int $level, string $message): bool {
    Said::$lines[] = $message;
    return true;
});

/** What PHP has complained of. */
final class Said
{
    public static array $lines = [];
}

/** Answers without PHP's output layer: with it a session could not be started any more. */
function answer(array $answer): void
{
    fwrite(STDOUT, json_encode(hide($answer), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES) . "\n");
}

/** Replaces secrets by dots: PHP's own warnings show the whole save_path. */
function hide(mixed $value): mixed
{
    if (is_array($value)) {
        return array_map('hide', $value);
    }
    if (!is_string($value)) {
        return $value;
    }
    $path = (string) ini_get('session.save_path');
    if (str_contains($path, 'auth')) {
        $value = str_replace($path, describe_path($path), $value);
    }
    return str_replace(secrets(), '••••', $value);
}

/** Every form in which a secret could turn up, the longest first. */
function secrets(): array
{
    static $forms = null;
    if ($forms === null) {
        $raw = array_filter(
            [...$GLOBALS['question']['secrets'] ?? [], ini_get('memcached.sess_sasl_password')],
            fn ($secret) => is_string($secret) && strlen($secret) > 2,
        );
        $forms = array_merge(...array_map(
            fn ($secret) => [$secret, rawurlencode($secret), urlencode($secret), addslashes($secret)],
            array_values($raw) ?: [str_repeat("\0", 9)],
        ));
        usort($forms, fn ($a, $b) => strlen($b) <=> strlen($a));
    }
    return $forms;
}

/** A save_path for people: without its query, in which the password is. */
function describe_path(string $path): string
{
    if (str_contains($path, 'seed')) {
        preg_match_all('/seed(?:\[[^\]]*\]|%5B[^=]*)=([^&]*)/i', $path, $seeds);
        return implode(', ', array_map('urldecode', $seeds[1]));
    }
    $servers = preg_replace('~//[^/?,@]*@~', '//', preg_replace('/\?[^,\s]*/', '', $path));
    return strlen($servers) > 200 ? substr($servers, 0, 200) . '…' : $servers;
}

/** The certificates of the question in files, as PHP wants them, for as long as the probe runs. */
function tls_context(array $question): array
{
    static $files = [];
    $context = [];
    foreach (['ca' => 'cafile', 'clientCertificate' => 'local_cert'] as $name => $option) {
        if (($question[$name] ?? null) === null) {
            continue;
        }
        if (!isset($files[$name])) {
            $files[$name] = tempnam(sys_get_temp_dir(), 'php-sessions');
            file_put_contents($files[$name], $question[$name]);
            register_shutdown_function('unlink', $files[$name]);
        }
        $context[$option] = $files[$name];
    }
    return $context;
}

function milliseconds_since(int $start): float
{
    return round((hrtime(true) - $start) / 1e6, 1);
}
