<?php

namespace PhpSessions;

use function basename, chmod, fclose, flock, fopen, fstat, ftruncate, fwrite, is_dir, is_resource, lstat, microtime,
preg_match, random_int, rewind, stream_get_contents, strlen, substr, touch, unlink, usleep;

/** A session in a file, as PHP's own handler `files` keeps and locks it. */
final class FilesSession implements LockedSession
{
    private const ID = '/^[A-Za-z0-9,-]{1,256}$/D';

    private readonly Settings $file;
    private string $path = '';
    /** @var ?resource */
    private $stream = null;
    private bool $isHeld = false;
    private string|false $data = false;

    public function __construct(string $file)
    {
        $this->file = new Settings($file, ['savePath', 'waitSeconds']);
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return preg_match(self::ID, $id) === 1;
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        ['savePath' => $savePath, 'waitSeconds' => $seconds] = $this->file->values ?: $this->file->read();
        $directory = fileDirectory($savePath, $id);
        if (!is_dir($directory)) {
            throw new StoreFailed("the directory $directory cannot be used" . whyUnreadable($directory), StoreFailed::AWAY);
        }
        $this->path = "$directory/sess_$id";
        [$this->data, $this->isHeld] = [false, true];
        $end = microtime(true) + $seconds;
        while ($this->open('r+be')) {
            $this->lock($end, $seconds);
            if (self::isSame($this->stream, $this->path)) {
                $this->data = (string) stream_get_contents($this->stream);
                break;
            }
            // It was removed while this request waited.
            $this->close();
        }
        return !$mustExist || $this->data !== false;
    }

    /**
     * Whether there is such a file, which is a file of our own: links, pipes and files of others are none. With `e` in the
     * mode, a process that the page starts does not have the file, and thereby its lock.
     */
    private function open(string $mode): bool
    {
        $found = lstat($this->path);
        if ($found === false || !isOwnFile($found)) {
            return false;
        }
        $stream = fopen($this->path, $mode);
        if (!is_resource($stream)) {
            throw new StoreFailed('a file with a session cannot be opened' . whyUnreadable($this->path), StoreFailed::AWAY);
        }
        $this->stream = $stream;
        return self::isSame($stream, $this->path) || $this->close();
    }

    /** @param resource $stream */
    private static function isSame($stream, string $path): bool
    {
        [$open, $there] = [fstat($stream), lstat($path)];
        return $there !== false && $open['ino'] === $there['ino'] && $open['dev'] === $there['dev'];
    }

    private function lock(float $end, int|float $seconds): void
    {
        while (!flock($this->stream, LOCK_EX | LOCK_NB)) {
            if (microtime(true) > $end) {
                $this->forget();
                throw new StoreFailed("others have held this session for $seconds seconds (PHP_SESSIONS_MAX_WAIT)");
            }
            usleep(random_int(1000, 5000));
        }
    }

    public function data(): string|false
    {
        return $this->data;
    }

    public function note(): ?string
    {
        return null;
    }

    public function isCopied(string $note): bool
    {
        return $this->data !== false && noteOf($this->data, substr(basename($this->path), 5)) === $note;
    }

    public function holds(): bool
    {
        return $this->isHeld;
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        if (!$this->isHeld) {
            return;
        }
        $isDone = match ($what) {
            'set' => $this->write($data),
            'keep' => $this->data !== false || $this->write(''),
            'touch' => $this->stream === null ? $this->write($data) : touch($this->path),
            'delete' => $this->stream === null ? $this->removeUnlocked() : unlink($this->path),
            default => true,
        };
        $this->forget();
        if (!$isDone) {
            throw new StoreFailed('a file with a session cannot be written' . whyUnreadable($this->path), StoreFailed::AWAY);
        }
    }

    private function write(#[\SensitiveParameter] string $data): bool
    {
        if ($this->stream === null) {
            $stream = fopen($this->path, 'x+be');
            if (is_resource($stream)) {
                chmod($this->path, 0600);
                $this->stream = $stream;
            } elseif (!$this->open('r+be')) {
                return false;
            }
            $this->lock(microtime(true) + 1, 1);
        }
        rewind($this->stream);
        return fwrite($this->stream, $data) === strlen($data) && ftruncate($this->stream, strlen($data));
    }

    /** Removes a file that was not there to be locked: a request may have written it since. */
    private function removeUnlocked(): bool
    {
        $found = lstat($this->path);
        return $found === false || !isOwnFile($found) || unlink($this->path);
    }

    /** Closing a file ends its lock. */
    private function close(): bool
    {
        fclose($this->stream);
        $this->stream = null;
        return false;
    }

    public function forget(): void
    {
        is_resource($this->stream) && fclose($this->stream);
        [$this->stream, $this->isHeld] = [null, false];
    }

    public function recover(): void
    {
        $this->forget();
    }

    public function onStoreError(): string
    {
        return 'stop';
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** The sessions in the files that these settings name. */
function openFiles(string $file): FilesSession
{
    return new FilesSession($file);
}
