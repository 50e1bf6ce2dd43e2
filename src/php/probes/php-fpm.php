<?php
// Where php-fpm is, and which files it reads. Joined to the probes that need it.

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

/** The ini files that a php-fpm reads, by its phpinfo: php.ini first. */
function fpmFiles(string $info): array
{
    // One file a line, each but the last with a comma.
    preg_match('/^Additional .ini files parsed => ((?:.*,\n)*.*)$/m', $info, $scanned);
    $files = array_map('trim', [(string) infoValue($info, 'Loaded Configuration File'), ...explode(',', $scanned[1] ?? '')]);
    return array_values(array_filter($files, fn ($file) => $file !== '' && $file !== '(none)'));
}

/** php-fpm's own report. Unlike a test of its configuration, this writes nothing into its log. */
function fpmInfo(array $command): string
{
    return runCommand([...$command, '-d', 'session.auto_start=0', '-i']);
}

/** A value of php-fpm's phpinfo, one of the general ones. */
function infoValue(string $info, string $name): ?string
{
    return preg_match("/^$name => (.*)$/m", $info, $match) ? $match[1] : null;
}

/** The extensions for sessions in php-fpm's own report: the version of each, or null where it is not loaded. */
function fpmExtensions(string $info): array
{
    $versions = [];
    foreach (SESSION_EXTENSIONS as $name) {
        // Each writes the word in its own way; its own version comes first.
        preg_match("/^$name\n\n(?:.+\n)*?(?:\w+ )?version => (.+)$/mi", $info, $match);
        $versions[$name] = $match[1] ?? null;
    }
    return $versions;
}

/** Where such a php-fpm has its configuration. */
function fpmPlaces(): array
{
    // The command line and php-fpm have directories side by side where they do not share one.
    $directories = [PHP_SYSCONFDIR, PHP_CONFIG_FILE_PATH, dirname(PHP_CONFIG_FILE_PATH) . '/fpm'];
    return ['files' => array_map(fn ($path) => "$path/php-fpm.conf", $directories), 'prefix' => PHP_PREFIX];
}
