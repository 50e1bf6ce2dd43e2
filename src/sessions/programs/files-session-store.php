<?php

namespace PhpSessions;

/**
 * Sessions in files, as PHP's own handler `files` keeps them. Only regular files of the user who runs this are read, and those
 * of all users where that is root: links, pipes and what has another name are left out.
 */
final class FilesSessionStore implements SessionStore
{
    private const NAME = '/^sess_([A-Za-z0-9,-]{1,256})$/D';
    private const STEP = 500;
    /** How long a file that a request holds is waited for. */
    private const LOCK_SECONDS = 1.0;

    private readonly string $savePath;
    private readonly int $lifeSeconds;
    /** Keys of sessions that a request has held all the time, for the report. */
    public array $locked = [];

    public function __construct(string $store)
    {
        $settings = Asked::settings($store);
        $this->savePath = $settings['savePath'] ?? (string) ini_get('session.save_path');
        $this->lifeSeconds = (int) ini_get('session.gc_maxlifetime');
    }

    public function keys(): iterable
    {
        $keys = [];
        foreach ($this->filesIn(...filesRoot($this->savePath)) as $name) {
            if (preg_match(self::NAME, $name, $match)) {
                $keys[] = $match[1];
            }
            if (count($keys) === self::STEP) {
                yield $keys;
                $keys = [];
            }
        }
        if ($keys !== []) {
            yield $keys;
        }
    }

    /** The names of files so many directories below another, each of which has one character of an id as its name. */
    private function filesIn(string $directory, int $depth): iterable
    {
        $handle = is_link($directory) && $depth > 0 ? false : Warnings::quietly(fn () => opendir($directory));
        if ($handle === false) {
            throw new StoreFailed("the directory $directory cannot be read" . whyUnreadable($directory));
        }
        while (($name = readdir($handle)) !== false) {
            if ($depth === 0) {
                yield $name;
            } elseif (preg_match('/^[A-Za-z0-9,-]$/D', $name) && is_dir("$directory/$name") && !is_link("$directory/$name")) {
                yield from $this->filesIn("$directory/$name", $depth - 1);
            }
        }
        closedir($handle);
    }

    public function total(): ?int
    {
        return null;
    }

    public function measure(array $keys): array
    {
        $sizes = [];
        foreach ($keys as $key) {
            $found = $this->find((string) $key);
            if ($found !== null) {
                $sizes[$key] = [$found['size'], $this->secondsOf($found)];
            }
        }
        return $sizes;
    }

    public function read(array $keys): array
    {
        $sessions = [];
        foreach ($keys as $key) {
            $found = $this->find((string) $key);
            $data = $found === null ? null : Warnings::quietly(fn (): ?string => $this->contents((string) $key, $found));
            if ($data !== null) {
                $sessions[$key] = [$data, $this->secondsOf($found)];
            }
        }
        return $sessions;
    }

    /** What a file has, while no request holds it. */
    private function contents(string $key, array $found): ?string
    {
        $stream = fopen($this->pathOf($key), 'rb');
        if ($stream === false) {
            throw new StoreFailed('a file with a session cannot be read' . whyUnreadable($this->pathOf($key)));
        }
        // Another file may have taken its place.
        $open = fstat($stream);
        if ($open['ino'] !== $found['ino'] || $open['dev'] !== $found['dev']) {
            return null;
        }
        for ($end = microtime(true) + self::LOCK_SECONDS; !flock($stream, LOCK_SH | LOCK_NB);) {
            if (microtime(true) > $end) {
                $this->locked[] = $key;
                return null;
            }
            usleep(5_000);
        }
        return (string) stream_get_contents($stream);
    }

    public function add(#[\SensitiveParameter] array $sessions, array $notes = []): array
    {
        $added = [];
        foreach ($sessions as $key => [$data, $seconds]) {
            $path = $this->pathOf((string) $key);
            $stream = Warnings::quietly(fn () => fopen($path, 'x+b'));
            if ($stream !== false) {
                chmod($path, 0600);
                flock($stream, LOCK_EX);
                fwrite($stream, $data);
                fclose($stream);
                touch($path, time() + (int) ($seconds ?? $this->lifeSeconds) - $this->lifeSeconds);
                $added[] = (string) $key;
            } elseif (!file_exists($path)) {
                throw new StoreFailed('no file can be made in ' . dirname($path) . whyUnreadable(dirname($path)));
            }
        }
        return $added;
    }

    public function delete(string $key): bool
    {
        return $this->find($key) !== null && Warnings::quietly(fn (): bool => unlink($this->pathOf($key)));
    }

    /** A request that has the session writes into the file that it has opened, which nobody finds any more. */
    public function end(array $keys): int
    {
        return count(array_filter($keys, fn ($key): bool => $this->delete((string) $key)));
    }

    /** The state of a session's file; null where there is none of our own. */
    private function find(string $key): ?array
    {
        $found = preg_match(self::NAME, "sess_$key") ? Warnings::quietly(fn () => lstat($this->pathOf($key))) : false;
        return $found !== false && isOwnFile($found) ? $found : null;
    }

    private function secondsOf(array $found): float
    {
        return (float) ($found['mtime'] + $this->lifeSeconds - time());
    }

    private function pathOf(string $key): string
    {
        return fileDirectory($this->savePath, $key) . "/sess_$key";
    }
}
