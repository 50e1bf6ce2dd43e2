<?php
// The content of PHP's ini files and of its extension directory. Joined to the probes that need it.

const SESSION_EXTENSIONS = ['igbinary', 'msgpack', 'redis', 'memcached'];

/** The ini files that this PHP has read, in its order: php.ini first. */
function iniFiles(): array
{
    $files = [(string) php_ini_loaded_file(), ...explode(',', (string) php_ini_scanned_files())];
    return array_values(array_filter(array_map('trim', $files), fn ($file) => $file !== ''));
}

/** The values that these files give to a setting, by file. The last one wins. */
function valuesIn(array $files, string $name): array
{
    // php.ini is long, and is asked for many settings.
    static $parsed = [];
    $values = [];
    foreach (array_filter($files, 'is_readable') as $file) {
        $parsed[$file] ??= parse_ini_file($file) ?: [];
        $value = $parsed[$file][$name] ?? null;
        if (is_string($value)) {
            $values[$file] = $value;
        }
    }
    return $values;
}

/** Whether php-sessions has written an ini file. */
function isOurs(string $file): bool
{
    return str_starts_with((string) @file_get_contents($file, false, null, 0, 15), '; php-sessions ');
}

/** The extensions for sessions that are installed, whether they are loaded or not. */
function installedExtensions(): array
{
    return array_values(array_filter(
        SESSION_EXTENSIONS,
        fn ($name) => is_file(ini_get('extension_dir') . "/$name.so"),
    ));
}

/** The extensions for sessions that lines of these files name, in the order in which PHP reads them. */
function extensionsIn(array $files): array
{
    $text = implode("\n", array_map('file_get_contents', array_filter($files, 'is_readable')));
    preg_match_all('~^[ \t]*extension[ \t]*=[ \t]*["\']?(?:[^"\'\r\n]*/)?(\w+)~mi', $text, $found);
    return array_values(array_intersect($found[1], SESSION_EXTENSIONS));
}

/** The last line that sets it, as FILE:LINE. */
function findLine(array $files, string $name): ?string
{
    foreach (array_reverse($files) as $file) {
        $found = preg_grep('/^\s*' . preg_quote($name, '/') . '\s*=/', (array) @file($file));
        if ($found) {
            return $file . ':' . (array_key_last($found) + 1);
        }
    }
    return null;
}

/** With `-d` in front, what php-sessions itself adds to a question begins here (src/php/ask.ts). */
const QUESTION_MARK = 'php-sessions.question=1';

/** What the command line of this PHP sets, where a script that is called php adds `-d`; it wins over ini files. */
function definitions(): array
{
    $words = explode("\0", (string) @file_get_contents('/proc/self/cmdline'));
    $ends = array_keys($words, QUESTION_MARK, true);
    $found = [];
    foreach (array_slice($words, 0, $ends === [] ? null : end($ends)) as $i => $word) {
        $isNext = in_array($words[$i - 1] ?? '', ['-d', '--define'], true);
        $given = $isNext ? $word : (str_starts_with($word, '-d') ? substr($word, 2) : '');
        [$name, $value] = explode('=', $given, 2) + [1 => '1'];
        $found[$name] = trim($value, '"\'');
    }
    // A home may repeat what the app's ini files set there.
    unset($found['session.upload_progress.enabled']);
    return $found;
}
