<?php

namespace PhpSessions;

/** Shows the progress of a slow program on stderr: a bar in a terminal, elsewhere a line now and then. */
final class Progress
{
    private const FIRST_SECONDS = 1.0;
    private const BAR_SECONDS = 0.2;
    private const LINE_SECONDS = 10.0;
    private const CELLS = 20;

    private readonly bool $isTerminal;
    private readonly float $start;
    private float $next;
    private int $done = 0;

    /** What has been done so far is `$verb`, for example `copied`; the total is about right, or null. */
    public function __construct(private readonly string $verb, private readonly ?int $total)
    {
        $this->isTerminal = stream_isatty(STDERR);
        $this->start = microtime(true);
        $this->next = $this->start + ($this->isTerminal ? self::FIRST_SECONDS : self::LINE_SECONDS);
    }

    public function add(int $count): void
    {
        $this->done += $count;
        $now = microtime(true);
        if ($now < $this->next) {
            return;
        }
        $this->next = $now + ($this->isTerminal ? self::BAR_SECONDS : self::LINE_SECONDS);
        $text = $this->text($now - $this->start);
        fwrite(STDERR, $this->isTerminal ? "\r\e[K$text" : "$text\n");
    }

    /** Takes the bar away. */
    public function end(): void
    {
        if ($this->isTerminal) {
            fwrite(STDERR, "\r\e[K");
        }
    }

    private function text(float $seconds): string
    {
        $rate = $this->done / $seconds;
        $text = "$this->verb " . number_format($this->done);
        if ($this->total !== null && $this->total > $this->done) {
            $share = $this->done / $this->total;
            $bar = str_pad(str_repeat('#', (int) ($share * self::CELLS)), self::CELLS, '-');
            $left = ceil(($this->total - $this->done) / max(1, $rate));
            $text = "[$bar] $text of about " . number_format($this->total) . ", $left s left";
        }
        return "$text, " . number_format($rate) . '/s';
    }
}
