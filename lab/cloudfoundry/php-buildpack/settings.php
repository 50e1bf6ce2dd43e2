<?php
// Prints the app's settings for the buildpack as assignments for a shell: php -n settings.php BUILD_DIRECTORY

$build = $argv[1];
$read = fn (string $file) => is_file("$build/$file") ? json_decode(file_get_contents("$build/$file"), true) : [];

$options = $read('.bp-config/options.json');
$webdir = $options['WEBDIR'] ?? 'htdocs';
$composer = $read('composer.json') ?: $read("$webdir/composer.json");

$extensions = $options['PHP_EXTENSIONS'] ?? ['bz2', 'zlib', 'curl'];
foreach (array_keys($composer['require'] ?? []) as $package) {
    if (str_starts_with($package, 'ext-')) {
        $extensions[] = substr($package, 4);
    }
}

// v4 only: an option overrides a variable of the same name, and both override the default.
$name = fn (string $key, string $default) => $options[$key] ?? (getenv($key) === false ? $default : getenv($key));

$settings = [
    'webdir' => $webdir,
    'libdir' => $options['LIBDIR'] ?? 'lib',
    'extensions' => implode(' ', array_unique($extensions)),
    'redis_sessions' => $name('REDIS_SESSION_STORE_SERVICE_NAME', 'redis-sessions'),
    'memcached_sessions' => $name('MEMCACHED_SESSION_STORE_SERVICE_NAME', 'memcached-sessions'),
];
foreach ($settings as $key => $value) {
    echo "$key=", escapeshellarg($value), "\n";
}
