<?php
// Keeps a session with the settings that PHP really has. This process starts and writes it. A second process reads it,
// and must wait for the lock that the first one holds.

const READY_SECONDS = 2.5;
const HELD_MILLISECONDS = 150;
const WAIT_SECONDS = 2.5;

foreach ($question['settings'] as $name => $value) {
    ini_set($name, $value);
}
// There is no browser here to take cookies and headers.
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
if (is_file($question['prependFile'])) {
    ob_start();
    try {
        require $question['prependFile'];
        Said::$lines = [];
    } catch (Throwable $error) {
        Said::$lines[] = get_class($error) . ': ' . $error->getMessage();
    }
    ob_end_clean();
}
// When the store fails the managed handler ends PHP.
register_shutdown_function(function (): void {
    $failure = isManagedLoaded() ? PhpSessions\Handler::$lastFailure : '';
    if ($failure !== '') {
        answer(['step' => 'start', 'handler' => handler(), 'error' => $failure]);
    }
});
$answer = $question['isSecond'] ?? false ? second($question) : first($question);
answer($answer + ['said' => Said::$lines]);

/** The handler in use: `managed` is that of php-sessions. PHP calls every handler that is written in PHP `user`. */
function handler(): string
{
    $handler = (string) ini_get('session.save_handler');
    return $handler === 'user' && isManagedLoaded() ? 'managed' : $handler;
}

function isManagedLoaded(): bool
{
    return class_exists(PhpSessions\Handler::class, false);
}

function first(array $question): array
{
    $marker = bin2hex(random_bytes(8));
    $answer = ['step' => 'start', 'handler' => handler()];
    answer($answer);
    try {
        if (!session_start()) {
            return $answer;
        }
        $_SESSION['marker'] = $marker;
        $answer['step'] = 'write';
        answer($answer);
        if (!session_write_close() || Said::$lines !== []) {
            return $answer;
        }
        $answer['step'] = 'read';
        if (($question['looks'] ?? false) && isManagedLoaded()) {
            $answer['stored'] = lookIntoStore(session_id(), $marker);
        }
        session_start();
        if (($_SESSION['marker'] ?? null) !== $marker) {
            return $answer;
        }
        return $answer = share($question, $answer, $marker);
    } catch (Throwable $error) {
        return ['error' => get_class($error) . ': ' . $error->getMessage()] + $answer;
    } finally {
        endSession($answer);
    }
}

/** Whether the store has the session, whether under its id, and whether its data are in clear. */
function lookIntoStore(string $id, string $marker): array
{
    [$written, $named] = PhpSessions\Warnings::quietly(fn () => PhpSessions\openSessions()->stored($id));
    return [
        'isThere' => $written !== false,
        'isNamed' => $named !== false,
        'isClear' => str_contains($written . $named, $marker),
    ];
}

/** Holds the lock of the session while a second process wants it. */
function share(array $question, array $answer, string $marker): array
{
    $child = proc_open(
        array_slice(explode("\0", file_get_contents('/proc/self/cmdline')), 0, -1),
        [['pipe', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'w']],
        $pipes,
    );
    if ($child === false) {
        return $answer;
    }
    fwrite($pipes[0], json_encode(['isSecond' => true, 'id' => session_id()] + $question));
    fclose($pipes[0]);
    stream_set_blocking($pipes[1], false);
    $lines = readLines($pipes[1], 1, READY_SECONDS);
    usleep(HELD_MILLISECONDS * 1000);
    $early = readLines($pipes[1], 1, 0);
    $_SESSION['first'] = true;
    session_write_close();
    $second = $early !== [] ? end($early) : (readLines($pipes[1], 1, WAIT_SECONDS)[0] ?? null);
    proc_terminate($child, 9);
    proc_close($child);
    if ($lines === [] || $second === null) {
        return ['step' => 'second'] + $answer;
    }
    session_start();
    return [
        'step' => ($second['marker'] ?? null) === $marker ? 'done' : 'second',
        'isLocked' => $early === [],
        'isKept' => isset($_SESSION['second'], $_SESSION['first']),
        'second' => $second,
    ] + $answer;
}

/** Reads lines of JSON as they come, until there are enough or the time is over. */
function readLines($pipe, int $count, float $seconds): array
{
    static $rest = '';
    $lines = [];
    $deadline = microtime(true) + $seconds;
    do {
        $rest .= (string) stream_get_contents($pipe);
        while (count($lines) < $count && ($end = strpos($rest, "\n")) !== false) {
            $lines[] = json_decode(substr($rest, 0, $end), true);
            $rest = substr($rest, $end + 1);
        }
    } while (count($lines) < $count && microtime(true) < $deadline && usleep(2000) === null);
    return $lines;
}

function second(array $question): array
{
    answer(['step' => 'ready']);
    // The first process waits no longer than that.
    ini_set('redis.session.lock_retries', '500');
    ini_set('memcached.sess_lock_retries', '8');
    try {
        session_id($question['id']);
        $isStarted = session_start();
        $marker = $_SESSION['marker'] ?? null;
        $_SESSION['second'] = true;
        session_write_close();
        return ['isStarted' => $isStarted, 'marker' => $marker];
    } catch (Throwable $error) {
        return ['error' => get_class($error) . ': ' . $error->getMessage()];
    }
}

/** Removes the session. A failure here was already reported. */
function endSession(array $answer): void
{
    try {
        if (session_status() === PHP_SESSION_ACTIVE || session_start()) {
            session_destroy();
        }
    } catch (Throwable) {
    }
}
