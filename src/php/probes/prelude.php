<?php
// The start of every probe. The question, passwords included, comes as JSON on stdin. The answer goes to stdout, as a
// line of JSON whenever more is known: the last line counts, so a killed probe has reported how far it got.
// See ../ask.ts.

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

/** Gives an answer. It is for php-sessions, which removes passwords from text for people. */
function answer(array $answer): void
{
    send(withoutPath($answer));
}

/** Gives an answer as it is. After output by PHP's own layer no session could be started any more. */
function send(array $answer): void
{
    fwrite(STDOUT, json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES) . "\n");
}

/** Shortens the save_path in PHP's warnings to its servers: it may have a password that php-sessions does not know. */
function withoutPath(mixed $value): mixed
{
    if (is_array($value)) {
        return array_map('withoutPath', $value);
    }
    $path = (string) ini_get('session.save_path');
    return is_string($value) && str_contains($path, 'auth') ? str_replace($path, describePath($path), $value) : $value;
}

/**
 * A save_path for people. If it may have a password, only certain servers are shown: a password in clear may contain
 * the characters that end it elsewhere, a comma or a blank. See also ../save-path.ts.
 */
function describePath(string $path): string
{
    if (preg_match_all('/(?:^|[?&])seed(?:\[[^\]]*\]|%5B[^=]*)=([^&]*)/i', $path, $seeds)) {
        $servers = array_map('urldecode', $seeds[1]);
    } elseif (preg_match('/[?@&]/', $path)) {
        [$before] = explode('?', $path);
        $servers = preg_split('/[,\s]+/', substr($before, (int) strrpos("@$before", '@')));
    } else {
        return strlen($path) > 200 ? substr($path, 0, 200) . '…' : $path;
    }
    $server = '~^(?:[a-z][\w.+-]*://)?(?:(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)*|(?=/))(?:/[\w./-]*)?$~i';
    return implode(', ', preg_grep($server, $servers)) ?: 'a server';
}
