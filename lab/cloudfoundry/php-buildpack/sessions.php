<?php
// php_buildpack's own handling of session services, which php-sessions replaces:
//
//   php -n sessions.php extension REDIS_NAME MEMCACHED_NAME           prints the PHP extension that it needs, if any
//   php -n sessions.php write REDIS_NAME MEMCACHED_NAME PHP_INI       writes the credentials into php.ini
//
// It takes a service whose name contains REDIS_NAME or MEMCACHED_NAME. As in the original, nothing is quoted.

[, $task, $redis, $memcached] = $argv;

foreach (json_decode(getenv('VCAP_SERVICES') ?: '{}', true) ?? [] as $services) {
    foreach ($services as $service) {
        foreach (['redis' => $redis, 'memcached' => $memcached] as $extension => $wanted) {
            if (str_contains($service['name'] ?? '', $wanted)) {
                if ($task === 'extension') {
                    exit($extension);
                }
                write($argv[4], $extension, $service['credentials'] ?? []);
                exit;
            }
        }
    }
}

function write(string $ini, string $extension, array $credentials): void
{
    $field = fn (string $name, string $default = '') => (string) ($credentials[$name] ?? $default);
    $host = $field('hostname', $field('host', 'not-found'));
    $path = $extension === 'redis'
        ? "tcp://$host:{$field('port', 'not-found')}?auth={$field('password')}"
        : "PERSISTENT=app_sessions {$field('servers', 'not-found')}";
    $lines = str_replace(
        ["\nsession.name = JSESSIONID\n", "\nsession.save_handler = files\n", "\nsession.save_path = \"@{TMPDIR}\"\n"],
        ["\nsession.name = PHPSESSIONID\n", "\nsession.save_handler = $extension\n", "\nsession.save_path = \"$path\"\n"],
        file_get_contents($ini),
    );
    if ($extension === 'memcached') {
        $lines .= "memcached.sess_binary=On\nmemcached.use_sasl=On\n"
            . "memcached.sess_sasl_username={$field('username')}\n"
            . "memcached.sess_sasl_password={$field('password')}\n";
    }
    file_put_contents($ini, $lines);
}
