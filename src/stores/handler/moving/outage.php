<?php

namespace PhpSessions;

use function explode, file_get_contents, file_put_contents, is_readable, is_writable, time;

/** What the workers tell each other, in a file, about the previous store while it cannot be used. */
final class Outage
{
    /** After so long one request tries again. */
    private const PAUSE_SECONDS = 30;
    /** For this time, a session that may exist there does not count as lost. */
    private const YOUNG_SECONDS = 60;

    /** When it began, until when nobody tries, and why; the first is 0 where there is none. */
    private ?array $state = null;

    public function __construct(private readonly string $file)
    {
    }

    /** Whether the store is left alone now. */
    public function isOn(): bool
    {
        [$since, $until, $why] = $this->state();
        if ($since === 0 || time() < $until) {
            return $since !== 0;
        }
        $this->keep($since, $why);
        return false;
    }

    /** Begins or continues an outage. It is logged once. */
    public function begin(string $why): void
    {
        $this->state = null;
        [$since] = $this->state();
        if ($since === 0) {
            report('the previous session store cannot be used, and is tried again every ' . self::PAUSE_SECONDS . ' seconds: ' . printable($why));
        }
        $this->keep($since ?: time(), $why);
    }

    public function end(): void
    {
        if ($this->state()[0] !== 0) {
            $this->write('');
            report('the previous session store can be used again');
        }
    }

    public function isYoung(): bool
    {
        [$since] = $this->state();
        // If the time cannot be shared, nobody waits.
        return is_writable($this->file) && time() - $since < self::YOUNG_SECONDS;
    }

    public function why(): string
    {
        return $this->state()[2];
    }

    private function state(): array
    {
        if ($this->state === null) {
            $text = is_readable($this->file) ? (string) file_get_contents($this->file) : '';
            [$since, $until, $why] = explode(' ', $text, 3) + ['', '', ''];
            $this->state = [(int) $since, (int) $until, $why];
        }
        return $this->state;
    }

    private function keep(int $since, string $why): void
    {
        $until = time() + self::PAUSE_SECONDS;
        $this->write("$since $until $why");
        $this->state = [$since, $until, $why];
    }

    private function write(string $text): void
    {
        if (is_writable($this->file)) {
            file_put_contents($this->file, $text, LOCK_EX);
        }
        $this->state = null;
    }
}
