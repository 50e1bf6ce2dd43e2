<?php

namespace PhpSessions;

use function register_shutdown_function, restore_error_handler, session_abort, session_create_id, session_status;

/**
 * Keeps the session of a request, one at a time. PHP calls its methods.
 *
 * It has no `updateTimestamp`: PHP then calls `write`, which compares. PHP would go on to call such a method after an app has
 * set six functions of its own, and so it does with `validateId`.
 */
final class Handler implements \SessionHandlerInterface, \SessionIdInterface
{
    /** The cause of the last failure, for php-sessions doctor. */
    public static string $lastFailure = '';

    /** The id of the session that was taken last, and the process that took it. */
    private string $id = '';
    private int $process = 0;
    /** An id that was made for this request and that no session has yet. */
    private string $made = '';
    private ?StoreFailed $failure = null;
    /** Set after a failure that the app must not notice: nothing is read or kept. */
    private bool $isDetached = false;
    /** Whether PHP has opened the session here, and not with a handler of the app. */
    private bool $isOpen = false;
    /** Whether a step has begun and not ended. */
    private bool $isWorking = false;
    /** Whether there was a session, so that `finish` is called at the end, and whether it has been. */
    private bool $isUsed = false;
    private bool $isFinished = false;

    public function __construct(private readonly LockedSession $session)
    {
    }

    public function open(string $path, string $name): bool
    {
        $this->isOpen = true;
        if (!$this->isUsed) {
            $this->isUsed = true;
            // The first one is called among the app's, and puts the second one behind them.
            \function_exists('register_shutdown_function')
                && register_shutdown_function('register_shutdown_function', [$this, 'finish']);
        }
        if (!$this->isFinished) {
            Buffer::begin();
        }
        return true;
    }

    public function create_sid(): string
    {
        return $this->made = session_create_id();
    }

    /**
     * Takes the lock already, because PHP next reads a session whose id is valid. A failure is kept for `read` to
     * throw again: if the request ended here, PHP would still give the visitor another id.
     */
    public function validateId(#[\SensitiveParameter] string $id): bool
    {
        if (!$this->isOpen) {
            return $id !== $this->made;
        }
        if ($id === $this->made || !$this->session->accepts($id)) {
            return false;
        }
        try {
            return $this->attempt(fn () => $this->take($id, mustExist: true));
        } catch (StoreFailed $failure) {
            $this->failure = $failure;
            return true;
        }
    }

    public function read(#[\SensitiveParameter] string $id): string
    {
        [$isNew, $this->made] = [$id === $this->made, ''];
        if ($this->failure === null && $this->has($id)) {
            return (string) $this->session->data();
        }
        if (!$this->session->accepts($id)) {
            report('this session is not kept: its id has blanks or braces, more than 256 characters, or the end of another key');
            $this->isDetached = true;
            return '';
        }
        return $this->guard(function () use ($id, $isNew): string {
            if ($this->failure !== null) {
                throw $this->failure;
            }
            $this->take($id, isNew: $isNew);
            return (string) $this->session->data();
        }, '');
    }

    public function write(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        $isKept = $this->isFinished && !$this->session->holds() && $data === $this->session->data();
        return $isKept || $this->guard(fn () => $this->save($id, $data), true);
    }

    public function destroy(#[\SensitiveParameter] string $id): bool
    {
        return $this->guard(function () use ($id): bool {
            if ($this->isFinished) {
                $this->take($id);
            }
            $this->session->release('delete');
            return true;
        }, true);
    }

    /** An id that was given out stays known even if nothing was written, as with PHP's files. */
    public function close(): bool
    {
        $isClosed = !$this->session->holds() || $this->guard($this->releaseAsRead(...), true);
        $this->isOpen = $this->isDetached = false;
        Buffer::end();
        return $isClosed;
    }

    /** Redis removes expired sessions itself. */
    public function gc(int $max): int
    {
        return 0;
    }

    /**
     * Writes the session after the app's shutdown functions, while a failure can still be a status 503. It stays open, as with
     * PHP's files: PHP writes it once more at its very end, and what destructors and output callbacks have changed.
     */
    public function finish(): void
    {
        if ($this->isWorking) {
            $this->recover();
        } elseif ($this->isOpen && session_status() === PHP_SESSION_ACTIVE) {
            // If memory is already short, PHP's own try at the very end may fail, but without the lock.
            $data = isOutOfMemory() ? null : encodeSession();
            $this->guard(fn () => $data === null ? $this->releaseAsRead() : $this->save($this->id, $data), true);
        } else {
            // PHP does not call `close` after an exception, as for a session that cannot be serialized.
            $this->session->holds() && $this->guard($this->releaseAsRead(...), true);
        }
        $this->isFinished = true;
    }

    /** An app's shutdown function that calls exit keeps PHP from calling those behind it. */
    public function __destruct()
    {
        if ($this->isUsed && !$this->isFinished) {
            $this->finish();
        }
    }

    /**
     * A fatal error, for example too little memory, has ended a step. PHP believes that this handler is busy, and
     * would say so in the page if it had to close the session later.
     */
    private function recover(): void
    {
        Warnings::quietly(fn () => session_abort());
        $this->guard($this->session->recover(...), null);
        $this->isDetached = true;
    }

    /** One session at a time: an earlier one is released. */
    private function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        if ($this->has($id)) {
            return true;
        }
        if ($this->session->holds()) {
            $this->process === processId() ? $this->session->release('nothing') : $this->session->forget();
        }
        $this->id = $id;
        $this->process = processId();
        return $this->session->take($id, $mustExist, $isNew);
    }

    private function has(#[\SensitiveParameter] string $id): bool
    {
        return $this->session->holds() && $id === $this->id && $this->process === processId();
    }

    private function save(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        if ($this->isFinished && !$this->session->holds()) {
            return $this->saveAgain($id, $data);
        }
        $this->session->release($data === $this->session->data() ? 'touch' : 'set', $data);
        return true;
    }

    /** Writes what was changed after `finish`, unless another request has changed the session since. */
    private function saveAgain(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): bool
    {
        $written = $this->session->data();
        $this->take($id);
        if ($this->session->data() === $written) {
            $this->session->release('set', $data);
            return true;
        }
        $this->session->release('nothing');
        throw new StoreFailed('another request has changed the session since: changes made after the page was sent are not kept');
    }

    /** Releases the lock of a session that is not written. */
    private function releaseAsRead(): bool
    {
        $this->session->release($this->session->data() === false ? 'keep' : 'nothing');
        return true;
    }

    /** Runs a step. After a failure the request ends with status 503, or, if so chosen, continues with `$instead`. */
    private function guard(\Closure $step, mixed $instead): mixed
    {
        if ($this->session->holds() && $this->process !== processId()) {
            // A child of the process that has the session open. Its connection is the parent's, and must not be closed either.
            $this->session->forget();
            $this->isDetached = true;
        }
        if ($this->isDetached) {
            return $instead;
        }
        try {
            return $this->attempt($step);
        } catch (\Throwable $failure) {
        }
        $this->session->forget();
        $this->failure = null;
        $this->isDetached = true;
        self::$lastFailure = $why = explainFailure($failure);
        $isTooMany = $failure instanceof StoreFailed && $failure->getCode() === StoreFailed::TOO_MANY;
        report(($isTooMany ? 'a request is refused: ' : 'the session store cannot be used: ') . printable($why));
        if ($this->session->onStoreError() === 'empty' || $this->isFinished || isCalledLast()) {
            return $instead;
        }
        $isTooMany ? refuse(429, 'Too many requests at once') : refuse();
    }

    /** Runs a step so that no error handler of the app is called in it. */
    private function attempt(\Closure $step): mixed
    {
        $this->isWorking = true;
        Warnings::begin();
        try {
            return $step();
        } finally {
            restore_error_handler();
            $this->isWorking = false;
        }
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
