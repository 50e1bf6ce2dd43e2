<?php
// The start of every probe. The question, passwords included, comes as JSON on stdin. The answer goes to stdout, as a
// line of JSON whenever more is known: the last line counts, so a probe that is killed has said how far it got. No
// secret is in an answer. See ../ask.ts.

$question = json_decode(stream_get_contents(STDIN), true, 32, JSON_THROW_ON_ERROR);
set_error_handler(function (int $level, string $message): bool {
    Said::$lines[] = $message;
    return true;
});

/** The warnings of PHP. */
final class Said
{
    public static array $lines = [];
}

/** Gives an answer, without its secrets. */
function answer(array $answer): void
{
    send(hide($answer));
}

/** Gives an answer as it is. After output by PHP's own layer no session could be started any more. */
function send(array $answer): void
{
    fwrite(STDOUT, json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES) . "\n");
}

/** Replaces secrets by dots. PHP's own warnings show the whole save_path. */
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
        $value = str_replace($path, describePath($path), $value);
    }
    return str_replace(secretForms(), '••••', $value);
}

/** Every form in which a secret may appear, the longest first. */
function secretForms(): array
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

/** A save_path for people: its servers, without the query that has the password. */
function describePath(string $path): string
{
    if (str_contains($path, 'seed')) {
        preg_match_all('/seed(?:\[[^\]]*\]|%5B[^=]*)=([^&]*)/i', $path, $seeds);
        return implode(', ', array_map('urldecode', $seeds[1]));
    }
    $servers = preg_replace('~//[^/?,@]*@~', '//', preg_replace('/\?[^,\s]*/', '', $path));
    return strlen($servers) > 200 ? substr($servers, 0, 200) . '…' : $servers;
}
