<?php

namespace PhpSessions;

/**
 * Sessions in files, as PHP's own handler `files` keeps them. Only regular files of a user whom PHP takes them from are used, as
 * it takes those of its own user and of root: links, pipes and what has another name are left out.
 *
 * Files are reached from within their directory, so a link in place of a directory leads nowhere.
 */
final class FilesSessionStore implements SessionStore
{
    private const NAME = '/^sess_([A-Za-z0-9,-]{1,256})$/D';
    private const STEP = 500;
    /** How long a file that a request holds is waited for. */
    private const LOCK_SECONDS = 1.0;

    private readonly string $root;
    private readonly int $depth;
    private readonly int $lifeSeconds;
    /** The users as whom the app's PHP runs, by their numbers; empty where that is not known. */
    private readonly array $users;
    /** Whether the last written data are enough while a request holds a session. */
    private readonly bool $takesHeld;
    /** The directory in which this process is. */
    private string $here = '';
    /** Keys of sessions that a request has held all the time, for the report. */
    public array $locked = [];

    public function __construct(string $store)
    {
        $settings = Asked::settings($store);
        [$root, $this->depth] = filesRoot($settings['savePath'] ?? (string) ini_get('session.save_path'));
        $this->root = Warnings::quietly(fn (): string => (string) realpath($root)) ?: $root;
        $this->lifeSeconds = $settings['lifeSeconds'] ?? (int) ini_get('session.gc_maxlifetime');
        $this->users = $settings['users'] ?? [];
        $this->takesHeld = $settings['takesHeld'] ?? false;
        Asked::$more['files'] = ['directory' => $this->root, 'owners' => [], 'others' => []];
    }

    public function keys(): iterable
    {
        $keys = [];
        foreach ($this->filesIn($this->root, $this->depth) as $name) {
            if (preg_match(self::NAME, $name, $match) && $this->find($match[1]) !== null) {
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
        $handle = Warnings::quietly(fn () => opendir($directory)) ?: throw $this->unusable($directory);
        while (($name = readdir($handle)) !== false) {
            if ($depth === 0) {
                yield $name;
            } elseif (preg_match('/^[A-Za-z0-9,-]$/D', $name) && is_dir("$directory/$name") && !is_link("$directory/$name")) {
                yield from $this->filesIn("$directory/$name", $depth - 1);
            }
        }
        closedir($handle);
    }

    private function unusable(string $directory): StoreFailed
    {
        return new StoreFailed("the directory $directory cannot be read" . whyUnreadable($directory));
    }

    public function total(): ?int
    {
        return null;
    }

    public function measure(array $keys): array
    {
        return array_map(fn (array $found): array => [$found['size'], $this->secondsOf($found)], $this->states($keys));
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

    /** The content of a file while no request holds it; or the last content, if that is enough. */
    private function contents(string $key, array $found): ?string
    {
        $stream = $this->open("sess_$key", $found, 'rb');
        for ($end = microtime(true) + self::LOCK_SECONDS; $stream !== null && !flock($stream, LOCK_SH | LOCK_NB) && !$this->takesHeld;) {
            if (microtime(true) > $end) {
                $this->locked[] = $key;
                return null;
            }
            usleep(5_000);
        }
        return $stream === null ? null : (string) stream_get_contents($stream);
    }

    /** Opens a file that was found, unless another has taken its place; a pipe there is not waited for. */
    private function open(string $name, array $found, string $mode): mixed
    {
        $stream = fopen($name, "{$mode}n");
        if ($stream === false) {
            self::tell('others', $found['uid']);
            return null;
        }
        $open = fstat($stream);
        return $open['ino'] === $found['ino'] && $open['dev'] === $found['dev'] ? $stream : null;
    }

    public function add(#[\SensitiveParameter] array $sessions, array $notes = []): array
    {
        $added = [];
        foreach ($sessions as $key => [$data, $seconds]) {
            $name = "sess_$key";
            $isHere = preg_match(self::NAME, $name) && $this->enter((string) $key);
            $stream = $isHere ? Warnings::quietly(fn () => fopen($name, 'x+b')) : false;
            if ($stream !== false) {
                chmod($name, 0600);
                flock($stream, LOCK_EX);
                fwrite($stream, $data);
                fclose($stream);
                touch($name, time() + (int) ($seconds ?? $this->lifeSeconds) - $this->lifeSeconds);
                $added[] = (string) $key;
            } elseif (!$isHere || !file_exists($name)) {
                $directory = $this->directoryOf((string) $key);
                throw new StoreFailed("cannot create a file in $directory" . whyUnreadable($directory));
            }
        }
        return $added;
    }

    public function delete(string $key): bool
    {
        return $this->find($key) !== null && Warnings::quietly(fn (): bool => unlink("sess_$key"));
    }

    /**
     * A request that has the session writes into the file that it has opened, which nobody finds any more. One that was about
     * to read it gets an empty session.
     */
    public function end(array $keys): int
    {
        return count(array_filter($keys, fn ($key): bool => Warnings::quietly(fn (): bool => $this->endOne((string) $key))));
    }

    private function endOne(string $key): bool
    {
        $found = $this->find($key);
        $stream = $found === null ? null : $this->open("sess_$key", $found, 'r+b');
        if ($found === null || !unlink("sess_$key")) {
            return false;
        }
        // With another name it is more than a session.
        if ($stream !== null && fstat($stream)['nlink'] === 0 && flock($stream, LOCK_EX | LOCK_NB)) {
            ftruncate($stream, 0);
        }
        return true;
    }

    /** The state of each session's file. */
    public function states(array $keys): array
    {
        $states = array_map(fn ($key): ?array => $this->find((string) $key), array_combine($keys, $keys));
        return array_filter($states, fn (?array $found): bool => $found !== null);
    }

    /** The state of a session's file, with this process in its directory; null where there is none that PHP would take. */
    private function find(string $key): ?array
    {
        $name = "sess_$key";
        clearstatcache();
        $found = preg_match(self::NAME, $name) && $this->enter($key) ? Warnings::quietly(fn () => lstat($name)) : false;
        if ($found === false || ($found['mode'] & 0170000) !== 0100000) {
            return null;
        }
        $isTaken = isOwnFile($found) && ($this->users === [] || ownUser() !== 0 || in_array($found['uid'], $this->users, true));
        self::tell($isTaken ? 'owners' : 'others', $found['uid']);
        return $isTaken ? $found : null;
    }

    /** Goes into the directory that a session's file is in; not through a link. */
    private function enter(string $key): bool
    {
        $directory = $this->directoryOf($key);
        if ($directory !== $this->here) {
            $isThere = Warnings::quietly(fn (): bool => is_dir($this->root) && chdir($directory));
            $this->here = $isThere ? (string) getcwd() : '';
            if (!$isThere && ($directory === $this->root || !is_dir($this->root))) {
                throw $this->unusable($this->root);
            }
        }
        return $directory === $this->here;
    }

    private function directoryOf(string $key): string
    {
        return fileDirectory("$this->depth;;$this->root", $key);
    }

    /** Users whose files are used, or left out, are part of the answer. */
    private static function tell(string $list, int $user): void
    {
        in_array($user, Asked::$more['files'][$list], true) || Asked::$more['files'][$list][] = $user;
    }

    private function secondsOf(array $found): float
    {
        return (float) ($found['mtime'] + $this->lifeSeconds - time());
    }
}
