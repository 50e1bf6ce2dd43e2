<?php
// Tells what only the PHP that will serve the app can tell, as JSON: its extensions, and which server the Sentinels
// call the master. The question comes as JSON on stdin; see ../cli/look-around.ts.

$question = json_decode(stream_get_contents(STDIN), true, 16, JSON_THROW_ON_ERROR);
$extensions = ['igbinary', 'msgpack', 'redis', 'memcached'];
$answer = [
    'phpredis' => phpversion('redis') ?: null,
    'maxExecutionSeconds' => longestExecution(),
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

/** What the ini files say, the last one first; on the command line, whatever they say, there is no limit. */
function longestExecution(): ?int
{
    $files = array_map('trim', explode(',', php_ini_loaded_file() . ',' . php_ini_scanned_files()));
    foreach (array_reverse(array_filter($files, 'is_readable')) as $file) {
        $seconds = @parse_ini_file($file, false, INI_SCANNER_RAW)['max_execution_time'] ?? null;
        if (is_numeric($seconds)) {
            return max((int) $seconds, 0);
        }
    }
    return null;
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

    /** PHP would look for an IPv6 address in brackets in the certificate. */
    public function contextFor(string $host): array
    {
        return $this->context + (str_contains($host, ':') ? ['peer_name' => $host] : []);
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
