<?php
// Tells what only the PHP that will serve the app can tell, as JSON: the version of its extension redis, and which
// server the Sentinels call the master. The question comes as JSON on stdin; see ../cli/look-around.ts.

$question = json_decode(stream_get_contents(STDIN), true, 16, JSON_THROW_ON_ERROR);
$answer = ['phpredis' => phpversion('redis') ?: null, 'master' => null, 'failures' => []];
if (isset($question['sentinels']) && extension_loaded('redis')) {
    $deadline = microtime(true) + $question['limitSeconds'];
    $tls = new Tls($question['ca'], $question['clientCertificate']);
    // While a failover is under way nobody may be the master yet.
    while (($answer = ask($question, $tls, $answer))['master'] === null && microtime(true) < $deadline) {
        sleep(1);
    }
}
echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE);

/** Asks one Sentinel after the other until one names a server that says itself that it is a master. */
function ask(array $question, Tls $tls, array $answer): array
{
    $answer['failures'] = [];
    foreach ($question['sentinels'] as ['host' => $host, 'port' => $port]) {
        try {
            $found = sentinel($question, $tls, $host, $port)->getMasterAddrByName($question['masterName']);
            if (!$found) {
                throw new RuntimeException("knows no master {$question['masterName']}");
            }
            $master = ['host' => $found[0], 'port' => (int) $found[1]];
            $role = role($question, $tls, $master);
            if ($role !== 'master') {
                throw new RuntimeException("names {$master['host']}:{$master['port']}, which is a $role");
            }
            return ['master' => $master, 'failures' => []] + $answer;
        } catch (Throwable $error) {
            $answer['failures'][] = "$host:$port " . $error->getMessage();
        }
    }
    return $answer;
}

function sentinel(array $question, Tls $tls, string $host, int $port): RedisSentinel
{
    ['sentinelTls' => $isTls, 'sentinelUser' => $user, 'sentinelPassword' => $password] = $question;
    $auth = $password === null ? null : ($user === null ? $password : [$user, $password]);
    if (version_compare(phpversion('redis'), '6.0.0') < 0) {
        return new RedisSentinel(($isTls ? 'tls://' : '') . $host, $port, 2.0, null, 0, 2.0, $auth);
    }
    return new RedisSentinel(array_filter([
        'host' => ($isTls ? 'tls://' : '') . $host,
        'port' => $port,
        'connectTimeout' => 2.0,
        'readTimeout' => 2.0,
        'auth' => $auth,
        'ssl' => $isTls ? $tls->context : null,
    ], fn ($value) => $value !== null));
}

/** What a server says of itself. One that does not let us ask is taken at the Sentinels' word. */
function role(array $question, Tls $tls, array $master): string
{
    ['tls' => $isTls, 'user' => $user, 'password' => $password] = $question;
    $redis = new Redis();
    $host = ($isTls ? 'tls://' : '') . $master['host'];
    $redis->connect($host, $master['port'], 2.0, null, 0, 2.0, $isTls ? ['stream' => $tls->context] : []);
    try {
        if ($password !== null) {
            $redis->auth($user === null ? $password : [$user, $password]);
        }
        $role = $redis->rawCommand('ROLE');
    } catch (RedisException $error) {
        return 'master';
    }
    return is_array($role) ? $role[0] : 'master';
}

/** The certificates, in files as PHP wants them, for as long as we run. */
final class Tls
{
    public array $context = [];
    private array $files = [];

    public function __construct(?string $ca, ?string $clientCertificate)
    {
        if ($ca !== null) {
            $this->context['cafile'] = $this->write($ca);
            // phpredis before 6.0 has no way to be told; OpenSSL itself has.
            putenv("SSL_CERT_FILE={$this->context['cafile']}");
        }
        if ($clientCertificate !== null) {
            $this->context['local_cert'] = $this->write($clientCertificate);
        }
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
