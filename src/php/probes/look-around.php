<?php
// Tells what only the PHP that will serve the app can tell, as JSON: its extensions, and which server the Sentinels
// call the master. The question comes as JSON on stdin; see ../cli/look-around.ts.

$question = json_decode(stream_get_contents(STDIN), true, 16, JSON_THROW_ON_ERROR);
$extensions = ['igbinary', 'msgpack', 'redis', 'memcached'];
$answer = [
    'phpredis' => phpversion('redis') ?: null,
    'phpVersion' => PHP_VERSION_ID,
    'maxExecutionSeconds' => longestExecution(),
    'prependFiles' => written('auto_prepend_file'),
    'loaded' => array_values(array_filter($extensions, 'extension_loaded')),
    'loadable' => array_values(array_filter(
        $extensions,
        fn ($name) => is_file(ini_get('extension_dir') . "/$name.so"),
    )),
    'master' => null,
    'failures' => [],
];
if (isset($question['sentinels']) && extension_loaded('redis')) {
    $certificates = new Certificates($question['ca'], $question['clientCertificate']);
    $deadline = microtime(true) + $question['limitSeconds'];
    // While a failover is under way nobody may be the master yet.
    while (($answer = ask($question, $certificates, $answer))['master'] === null && microtime(true) < $deadline) {
        sleep(1);
    }
}
echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE);

/** The last limit of the ini files; on the command line, whatever they say, there is none. */
function longestExecution(): ?int
{
    $seconds = array_filter(array_column(written('max_execution_time'), 'value'), 'is_numeric');
    return $seconds === [] ? null : max((int) end($seconds), 0);
}

/** Every ini file that sets it, in the order in which they are read, but those that an earlier start of ours left. */
function written(string $name): array
{
    $files = array_map('trim', explode(',', php_ini_loaded_file() . ',' . php_ini_scanned_files()));
    $found = [];
    foreach (array_filter($files, 'is_readable') as $file) {
        $value = (@parse_ini_file($file) ?: [])[$name] ?? null;
        if (is_string($value) && !str_starts_with((string) file_get_contents($file, false, null, 0, 15), '; php-sessions ')) {
            $found[] = ['value' => $value, 'file' => $file];
        }
    }
    return $found;
}

/** Asks one Sentinel after the other until one names a server that says itself that it is a master. */
function ask(array $question, Certificates $certificates, array $answer): array
{
    $answer['failures'] = [];
    foreach ($question['sentinels'] as $sentinel) {
        try {
            $client = connect($sentinel, $question['sentinelLogin'], $question['timeoutSeconds'], $certificates);
            $found = $client->rawCommand('SENTINEL', 'get-master-addr-by-name', $question['masterName']);
            if (!$found) {
                throw new RuntimeException($client->getLastError() ?: "knows no master {$question['masterName']}");
            }
            $master = ['host' => $found[0], 'port' => (int) $found[1]];
            $role = role($master, $question['serverLogin'], $question['timeoutSeconds'], $certificates);
            if ($role !== 'master') {
                throw new RuntimeException("names {$master['host']}:{$master['port']}, which is a $role");
            }
            return ['master' => $master, 'failures' => []] + $answer;
        } catch (Throwable $error) {
            $answer['failures'][] = "{$sentinel['host']}:{$sentinel['port']} " . $error->getMessage();
        }
    }
    return $answer;
}

/** What a server says of itself. One that does not let us ask is taken at the Sentinels' word. */
function role(array $server, array $login, float $timeout, Certificates $certificates): string
{
    $role = connect($server, $login, $timeout, $certificates)->rawCommand('ROLE');
    return is_array($role) ? $role[0] : 'master';
}

function connect(array $server, array $login, float $timeout, Certificates $certificates): Redis
{
    ['host' => $host, 'port' => $port] = $server;
    ['tls' => $isTls, 'user' => $user, 'password' => $password] = $login;
    $context = $isTls ? ['stream' => $certificates->contextFor($host)] : [];
    $client = new Redis();
    // What phpredis says of a failed handshake is a warning that PHP would print.
    set_error_handler(fn (int $level, string $message) => throw new RuntimeException($message));
    try {
        $client->connect(($isTls ? 'tls://' : '') . $host, $port, $timeout, null, 0, $timeout, $context);
    } finally {
        restore_error_handler();
    }
    if ($password !== null) {
        $client->auth($user === null ? $password : [$user, $password]);
    }
    return $client;
}

/** The certificates, in files as PHP wants them, for as long as we run. */
final class Certificates
{
    private array $context = [];
    private array $files = [];

    public function __construct(?string $ca, ?string $clientCertificate)
    {
        if ($ca !== null) {
            $this->context['cafile'] = $this->write($ca);
        }
        if ($clientCertificate !== null) {
            $this->context['local_cert'] = $this->write($clientCertificate);
        }
    }

    /** PHP would look for an IPv6 address in brackets in the certificate; for the versions see the managed handler. */
    public function contextFor(string $host): array
    {
        $isFixed = PHP_VERSION_ID >= 80307 || (PHP_VERSION_ID >= 80219 && PHP_VERSION_ID < 80300);
        return $this->context + (str_contains($host, ':') ? ['peer_name' => $host] : [])
            + ($isFixed ? [] : ['crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT]);
    }

    private function write(string $text): string
    {
        $this->files[] = $file = tempnam(sys_get_temp_dir(), 'php-sessions');
        file_put_contents($file, $text);
        return $file;
    }

    public function __destruct()
    {
        array_map('unlink', $this->files);
    }
}
