<?php
// Logs in to each Memcached with php-memcached and asks for what matters to sessions.

const MILLISECONDS = 1000;
const UNTRIED = [
    'isStored' => false, 'isRead' => false, 'result' => 'not tried', 'itemSize' => null, 'evictions' => null,
    'version' => null, 'connections' => null, 'maxConnections' => null, 'handler' => null,
];

$answer = ['servers' => [], 'hasPlugin' => hasSaslPlugin()];
foreach ($question['servers'] as $server) {
    answer($answer);
    $answer['servers'][] = $server['isAway'] ? UNTRIED : look($question, $server);
}
answer($answer);

function look(array $question, array $server): array
{
    ['user' => $user, 'password' => $password] = $question;
    $memcached = new Memcached();
    $memcached->setOption(Memcached::OPT_BINARY_PROTOCOL, $question['isBinary']);
    $memcached->setOption(Memcached::OPT_CONNECT_TIMEOUT, MILLISECONDS);
    $memcached->setOption(Memcached::OPT_POLL_TIMEOUT, MILLISECONDS);
    if ($password !== null) {
        $memcached->setSaslAuthData($user, $password);
    }
    $memcached->addServer($server['host'], $server['port']);
    $key = $question['prefix'] . 'php-sessions-doctor-' . bin2hex(random_bytes(8));
    $isStored = $memcached->set($key, 'doctor', 10);
    $result = $memcached->getResultMessage();
    $isRead = $isStored && $memcached->get($key) === 'doctor';
    $memcached->delete($key);
    $settings = $isRead ? current($memcached->getStats('settings') ?: [[]]) : [];
    $stats = $isRead ? current($memcached->getStats() ?: [[]]) : [];
    return [
        'isStored' => $isStored,
        'isRead' => $isRead,
        'result' => $result,
        'itemSize' => isset($settings['item_size_max']) ? (int) $settings['item_size_max'] : null,
        'evictions' => isset($stats['evictions']) ? (int) $stats['evictions'] : null,
        'version' => $stats['version'] ?? null,
        'connections' => isset($stats['curr_connections']) ? (int) $stats['curr_connections'] : null,
        'maxConnections' => isset($stats['max_connections']) ? (int) $stats['max_connections'] : null,
        'handler' => $isStored && $question['isManaged'] ? tryHandler($question, $server) : null,
    ];
}

/** Whether libsasl finds the plugin that php-memcached needs to send a user name and a password. */
function hasSaslPlugin(): bool
{
    $own = getenv('SASL_PATH');
    $directories = $own !== false && $own !== ''
        ? explode(':', $own)
        : ['/usr/lib/*/sasl2', '/usr/lib64/sasl2', '/usr/lib/sasl2', '/usr/local/lib/sasl2'];
    foreach ($directories as $directory) {
        if (glob("$directory/libplain.so*") || glob("$directory/libplain.la")) {
            return true;
        }
    }
    return false;
}
