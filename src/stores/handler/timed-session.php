<?php

namespace PhpSessions;

use function header, header_remove, headers_list, headers_sent, hrtime, preg_grep, sprintf;

/**
 * Shows the cost of a session in the developer tools of browsers (PHP_SESSIONS_TIMING): `Server-Timing:
 * session;dur=3.1`, in milliseconds, as long as the headers are not sent.
 */
final class TimedSession implements LockedSession
{
    private int $spent = 0;
    private string $sent = '';

    public function __construct(private readonly LockedSession $session)
    {
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return $this->session->accepts($id);
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        return $this->measure(fn (): bool => $this->session->take($id, $mustExist, $isNew));
    }

    public function data(): string|false
    {
        return $this->session->data();
    }

    public function holds(): bool
    {
        return $this->session->holds();
    }

    public function note(): ?string
    {
        return $this->session->note();
    }

    public function isCopied(string $note): bool
    {
        return $this->session->isCopied($note);
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        $this->measure(fn () => $this->session->release($what, $data, $note));
    }

    public function forget(): void
    {
        $this->session->forget();
    }

    public function recover(): void
    {
        $this->session->recover();
    }

    public function onStoreError(): string
    {
        return $this->session->onStoreError();
    }

    private function measure(\Closure $step): mixed
    {
        $start = hrtime(true);
        try {
            return $step();
        } finally {
            $this->spent += hrtime(true) - $start;
            PHP_SAPI === 'cli' || headers_sent() || $this->tell();
        }
    }

    /** The headers of an app with the same name stay: each has metrics of its own. An app's may have replaced this one. */
    private function tell(): void
    {
        $others = preg_grep('/^Server-Timing:/i', headers_list());
        header_remove('Server-Timing');
        foreach ($others as $line) {
            $line === $this->sent || header($line, false);
        }
        $wait = Wait::$total >= 0.0005 ? sprintf(';desc="waited %d ms"', Wait::$total * 1000 + 0.5) : '';
        header($this->sent = sprintf('Server-Timing: session;dur=%.1F', $this->spent / 1e6) . $wait, false);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
