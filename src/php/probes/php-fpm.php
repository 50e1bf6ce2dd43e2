<?php
// Where php-fpm is, and what its configuration files set. They are read, not asked of `php-fpm -tt`: that prints the
// passwords that pools hand to PHP, and php-fpm may print into its log. Joined to the probes that need it.

/** The command of the php-fpm in the question, or of one of this version where distributions keep it. */
function findFpm(array $question): ?array
{
    $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
    $commands = $question['fpm'] === null ? [["php-fpm$version"], ['php-fpm']] : [$question['fpm']];
    $path = explode(':', getenv('PATH') . ':/usr/local/sbin:/usr/sbin:/sbin');
    foreach (array_filter($commands) as $command) {
        $name = array_shift($command);
        $places = str_contains($name, '/') ? [$name] : array_map(fn ($directory) => "$directory/$name", array_filter($path));
        foreach (array_filter($places, 'is_executable') as $place) {
            return [$place, ...$command];
        }
    }
    return null;
}

/** The output of a command, stderr included. */
function runCommand(array $command): string
{
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]], $pipes);
    return $process === false ? '' : (string) stream_get_contents($pipes[1]);
}

/** The main configuration file of a php-fpm: the one in its command, the one that it names, or one of these directories. */
function fpmConfiguration(array $command, array $directories): ?string
{
    $test = runCommand([...$command, '-t']);
    $named = preg_match('/configuration file (.+) test/', $test, $match) ? [$match[1]] : [];
    return findConfiguration($command, [...$named, ...inDirectories($directories)]);
}

/** The same without running php-fpm, which may write into its log that it was asked. */
function usualConfiguration(array $command): ?string
{
    // The command line and php-fpm have directories side by side where they do not share one.
    $beside = [PHP_CONFIG_FILE_PATH, dirname(PHP_CONFIG_FILE_PATH) . '/fpm'];
    // A php-fpm that was built for a directory of its own has sbin and etc there.
    $own = dirname($command[0], 2) . '/etc';
    return findConfiguration($command, inDirectories([$own, PHP_SYSCONFDIR, ...$beside]));
}

function findConfiguration(array $command, array $files): ?string
{
    $given = array_search('-y', $command, true);
    $all = $given === false ? $files : [$command[$given + 1] ?? ''];
    return array_values(array_filter($all, 'is_readable'))[0] ?? null;
}

function inDirectories(array $directories): array
{
    return array_map(fn ($path) => "$path/php-fpm.conf", [...$directories, '/usr/local/etc', '/etc']);
}

/**
 * Every line of a configuration and of the files that it includes that sets something: for the pool, or with
 * `php_value` and the like for PHP.
 */
function poolLines(?string $file, string &$pool = '', string $prefix = PHP_PREFIX): array
{
    $found = [];
    foreach ($file === null ? [] : (array) @file($file) as $number => $line) {
        if (preg_match('/^\s*\[([^\]]+)\]/', $line, $match)) {
            $pool = $match[1];
        } elseif (preg_match('/^\s*include\s*=\s*"?([^";\s]+)/', $line, $match)) {
            // php-fpm completes a path with its prefix, as in the images of Docker.
            $pattern = str_starts_with($match[1], '/') ? $match[1] : "$prefix/$match[1]";
            foreach (glob($pattern) ?: [] as $included) {
                array_push($found, ...poolLines($included, $pool, $prefix));
            }
        } elseif (preg_match('/^\s*(?:(php(?:_admin)?_(?:value|flag))\[([^\]]+)\]|([a-z_.]+))\s*=\s*(.*?)\s*(?:;.*)?$/', $line, $match)) {
            [, $kind, $setting, $own, $value] = $match;
            $found[] = [
                'pool' => $pool,
                'kind' => $kind,
                'name' => $kind === '' ? $own : $setting,
                'value' => trim($value, '"\''),
                'from' => $file . ':' . ($number + 1),
            ];
        }
    }
    return $found;
}
