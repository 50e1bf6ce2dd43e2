<?php
// Tells which version and ini files this PHP and php-fpm have, and how both have set what matters for sessions: for each
// setting whether it is as expected, its value (never a secret), and the line that sets it. Follows ini-files.php, php-fpm.php.

$answer = [
    'version' => PHP_VERSION,
    'extensionDirectory' => ini_get('extension_dir'),
    'libraries' => installedExtensions(),
    'cli' => commandLine($question),
    'fpm' => null,
];
answer($answer);
$fpm = findFpm($question);
if ($fpm !== null) {
    $answer['fpm'] = fpm($question, $fpm);
    answer($answer);
}

function commandLine(array $question): array
{
    $files = iniFiles();
    $values = [];
    foreach ($question['expected'] as $name => $expected) {
        // Some are not in every PHP.
        if ($expected === null && ini_get($name) === false) {
            continue;
        }
        // The probe itself runs with display_errors off.
        $values[$name] = $name === 'display_errors' ? writtenValue($files, $name) : ini_get($name);
    }
    $extensions = [];
    foreach (SESSION_EXTENSIONS as $name) {
        $extensions[$name] = phpversion($name) ?: null;
    }
    $scan = getenv('PHP_INI_SCAN_DIR');
    $scan = directories($scan === false ? PHP_CONFIG_FILE_SCAN_DIR : $scan, PHP_CONFIG_FILE_SCAN_DIR);
    return [
        'loaded' => php_ini_loaded_file() ?: null,
        'path' => PHP_CONFIG_FILE_PATH,
        'scan' => $scan,
        'extensions' => $extensions,
    ] + report($question, $files, $scan, $values, definitions());
}

/** The settings and the ini files, in one form for the command line and for php-fpm. */
function report(array $question, array $files, array $scan, array $values, array $definitions = []): array
{
    $settings = [];
    // Both were started with session.auto_start off: otherwise each would have begun with a session.
    $values['session.auto_start'] = writtenValue($files, 'session.auto_start');
    foreach ($values as $name => $value) {
        $from = isset($definitions[$name]) ? "-d $name in what starts PHP" : findLine($files, $name);
        $settings[$name] = setting($question, $name, (string) $value, $from);
    }
    $ours = array_values(array_filter($files, 'isOurs'));
    return [
        'files' => $files,
        'settings' => $settings,
        'ours' => $ours[0] ?? null,
        'faults' => array_values(array_filter(array_map('findFault', [...$files, ...unlisted($files, $scan)]))),
        'exposed' => array_values(array_filter($files, 'isExposed')),
        'unreadable' => unreadable($scan),
    ];
}

function setting(array $question, string $name, string $value, ?string $from): array
{
    $expected = $question['expected'][$name] ?? null;
    $isPath = $name === 'session.save_path';
    $isSecret = in_array($name, $question['secretNames'], true);
    return [
        'isExpected' => $expected === null || normal($value) === normal($expected)
            || ($isPath && essence($value) === essence($expected))
            // The name of the file is expected, but its directory may be another one.
            || (in_array($name, ['auto_prepend_file', 'openssl.cafile'], true) && basename($value) === basename($expected)),
        'value' => $isPath ? describePath($value) : ($isSecret ? null : normal($value)),
        'from' => $from,
    ];
}

/** The value that the ini files give to a setting that is on or off, or PHP's default. */
function writtenValue(array $files, string $name): string
{
    $values = valuesIn($files, $name);
    return $values === [] ? ($name === 'display_errors' ? '1' : '0') : end($values);
}

/** One form for a value, which phpinfo and ini_get write differently. */
function normal(string $value): string
{
    $words = ['on' => '1', 'yes' => '1', 'true' => '1', 'off' => '0', 'no' => '0', 'false' => '0', 'no value' => '', 'none' => ''];
    $value = $words[strtolower($value)] ?? $value;
    return $value === '' ? '0' : $value;
}

/** The parts of a save_path that decide where sessions are and how PHP logs in; the rest is time-outs and certificates. */
function essence(string $path): string
{
    [$servers, $query] = explode('?', $path, 2) + [1 => ''];
    if (str_starts_with($path, 'seed')) {
        [$servers, $query] = ['', $path];
    }
    parse_str($query, $parameters);
    $kept = array_intersect_key($parameters, array_flip(['seed', 'auth', 'database', 'prefix']));
    ksort($kept);
    return $servers . json_encode($kept, JSON_INVALID_UTF8_SUBSTITUTE);
}

/** The files in the scanned directories that PHP does not list, as those with a syntax error. */
function unlisted(array $files, array $scan): array
{
    $all = array_merge(...array_map(fn ($directory) => glob("{$directory['path']}/*.ini") ?: [], $scan));
    return array_filter(array_diff($all, $files), 'is_readable');
}

/** What this user may not read of the scanned directories: a server that root starts reads more than is seen here. */
function unreadable(array $scan): array
{
    $found = [];
    foreach (array_column($scan, 'path') as $directory) {
        $isOpen = is_readable($directory) && is_executable($directory);
        $files = $isOpen ? glob("$directory/*.ini") ?: [] : [];
        array_push($found, ...$isOpen || !file_exists($directory) ? [] : [$directory]);
        array_push($found, ...array_filter($files, fn ($file) => !is_readable($file)));
    }
    return $found;
}

/** The syntax error of an ini file: PHP leaves out the rest of the file. */
function findFault(string $file): ?string
{
    Said::$lines = [];
    parse_ini_file($file, false);
    $said = Said::$lines[0] ?? '';
    return str_starts_with($said, 'syntax error') ? preg_replace('/ in .* on line /', " in $file:", $said) : null;
}

/** Whether every user of this machine can read a secret in a file. */
function isExposed(string $file): bool
{
    if ((fileperms($file) & 0004) === 0) {
        return false;
    }
    // Only where a password can be: a short one may be part of any word.
    $text = implode(preg_grep('/^\s*[^;]*(save_path|password|auth)/i', (array) @file($file)));
    foreach ($GLOBALS['question']['secrets'] as $secret) {
        $forms = implode('|', array_map(fn ($form) => preg_quote($form, '~'), [$secret, rawurlencode($secret)]));
        $before = '(?:auth(?:\[\w*\]|%5B\w*%5D)?=|password["\']?\s*=\s*|save_path\s*=\s*)["\']?';
        if (preg_match("~(?:$before)(?:$forms)(?![A-Za-z0-9])|:(?:$forms)@~i", $text) === 1) {
            return true;
        }
    }
    return false;
}

/** The directories of a scan path, in which an empty element stands for the compiled-in one. */
function directories(string $path, string $own): array
{
    $elements = array_map(fn ($element) => $element === '' ? $own : $element, explode(':', $path));
    return array_map(
        fn ($directory) => ['path' => $directory, 'isWritable' => is_writable($directory)],
        array_values(array_filter($elements, fn ($element) => $element !== '' && $element !== '(none)')),
    );
}

function fpm(array $question, array $command): array
{
    $info = fpmInfo($command);
    $crashesAt = null;
    if (infoValue($info, 'PHP Version') === null) {
        $bare = fpmInfo([...$command, '-n']);
        $crashesAt = unreadableOfFpm($bare);
        $info = $crashesAt === null ? $info : $bare;
    }
    $values = [];
    foreach (array_keys($question['expected']) as $name) {
        if (preg_match('/^' . preg_quote($name, '/') . ' => (.*?) => /m', $info, $match)) {
            $values[$name] = $match[1];
        }
    }
    $loaded = infoValue($info, 'Loaded Configuration File');
    $path = infoValue($info, 'Configuration File \(php.ini\) Path');
    $files = fpmFiles($info);
    $scan = directories((string) infoValue($info, 'Scan this dir for additional .ini files'), '');
    return [
        'version' => infoValue($info, 'PHP Version'),
        'loaded' => $loaded === '(none)' ? null : $loaded,
        'path' => $path,
        'scan' => $scan,
        'extensions' => fpmExtensions($info),
        'pools' => pools($question),
        'crashesAt' => $crashesAt,
    ] + report($question, $files, $scan, $values);
}

/**
 * An ini file that this user may not read, of a php-fpm that answers only without its ini files: before 8.1.3 PHP crashes
 * there (php-src GH-7883). The directories of the command line and of php-fpm have the same form.
 */
function unreadableOfFpm(string $info): ?string
{
    $path = (string) infoValue($info, 'Configuration File \(php.ini\) Path');
    $own = str_replace(PHP_CONFIG_FILE_PATH, $path, PHP_CONFIG_FILE_SCAN_DIR);
    return unreadable(directories(infoValue($info, 'PHP_INI_SCAN_DIR') ?? $own, $own))[0] ?? null;
}

/** The settings of the pools, which win over every ini file. */
function pools(array $question): array
{
    $lines = array_filter($question['pools'], fn ($line) => array_key_exists($line['name'], $question['expected']));
    return array_map(
        fn ($line) => ['name' => $line['name']]
            + setting($question, $line['name'], $line['value'], "{$line['from']} {$line['kind']} of pool {$line['pool']}"),
        array_values($lines),
    );
}
