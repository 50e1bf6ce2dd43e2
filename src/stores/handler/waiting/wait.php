<?php

namespace PhpSessions;

use function array_slice, arsort, count, implode, max, microtime, sprintf;

/** The wait of one request for its session, and the requests that held it meanwhile. */
final class Wait
{
    private const NAMED = 3;
    private const SEEN = 100;

    /** Of all waits of this process, in seconds. */
    public static float $total = 0;

    private readonly float $start;
    private float $now;
    /** @var array<string, float> for how many seconds each lock was held, as far as this request has seen */
    private array $held = [];
    private string $last = '';
    /** When the last one was taken, by the clock of this machine. */
    private float $since = 0;

    /** `$own` is this request, as its lock will name it. */
    public function __construct(private readonly string $own)
    {
        $this->start = $this->now = microtime(true);
    }

    /** Looks at the lock of another; `$now` is the time of the clock that has written it, in milliseconds. */
    public function saw(string $lock, int $now): void
    {
        $this->advance();
        if ($lock === '@') {
            // On its way to another one.
            return;
        }
        if ($lock !== $this->last) {
            $this->last = $lock;
            $since = (int) Holder::read($lock)['since'];
            $this->since = $this->now - ($since > 0 ? max(0, $now - $since) / 1000 : 0);
        }
        if (isset($this->held[$lock]) || count($this->held) < self::SEEN) {
            $this->held[$lock] = $this->now - $this->since;
        }
    }

    /** The session is this request's now. A wait of more than `$limit` seconds is a line in the log; 0 is never. */
    public function end(float $limit): void
    {
        $this->last === '' ? $this->advance() : $this->saw($this->last, 0);
        $seconds = $this->now - $this->start;
        if ($limit > 0 && $seconds > $limit) {
            report(sprintf('a request waited %.1f s for its session: %s', $seconds, printable($this->behind())));
        }
    }

    /** The failure of a request that waits no longer, or must not wait at all. */
    public static function over(?self $wait, string $why, int $code = 0): StoreFailed
    {
        return new StoreFailed($wait === null ? $why : "$why: {$wait->behind()}", $code);
    }

    /** This request, and which others held its session: those that held it longest. */
    private function behind(): string
    {
        arsort($this->held);
        $named = [];
        foreach (array_slice($this->held, 0, self::NAMED, true) as $lock => $seconds) {
            $named[] = self::nameOf((string) $lock, $seconds);
        }
        $more = count($this->held) - count($named);
        $others = implode(', ', $named ?: ['a request that has just ended']) . ($more > 0 ? " and $more more" : '');
        ['method' => $method, 'path' => $path] = Holder::read($this->own);
        return "$method $path, behind $others";
    }

    private static function nameOf(string $lock, float $seconds): string
    {
        ['handler' => $handler, 'instance' => $instance, 'process' => $process] = $holder = Holder::read($lock);
        $kind = $handler === 'native' ? 'host' : 'instance';
        $where = $instance === null ? '' : "$kind $instance, process $process, ";
        $what = match ($handler) {
            'managed' => "{$holder['method']} {$holder['path']}",
            'native' => "PHP's own handler",
            default => 'an unidentified request',
        };
        return sprintf('%s (%sfor %.1f s)', $what, $where, $seconds);
    }

    private function advance(): void
    {
        $now = microtime(true);
        self::$total += $now - $this->now;
        $this->now = $now;
    }
}
