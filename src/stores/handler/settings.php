<?php

namespace PhpSessions;

use function array_diff, array_keys, clearstatcache, function_exists, ini_set, is_array, opcache_invalidate;

/** The file with a store's settings, which the start has written, and which is replaced when the binding changes. */
final class Settings
{
    public array $values = [];
    private bool $isReread = false;

    /** A file by an earlier version of php-sessions, which is about to be replaced, has not all these settings. */
    public function __construct(private readonly string $file, private readonly array $needed)
    {
    }

    public function read(): array
    {
        // opcache may be set never to check whether a file has changed, or only after long.
        $isChecked = getIni('opcache.validate_timestamps') !== '0' && (int) getIni('opcache.revalidate_freq') < 3;
        $values = $isChecked ? include $this->file : $this->readUncached();
        if (!is_array($values) || array_diff($this->needed, array_keys($values)) !== []) {
            throw new StoreFailed("{$this->file} cannot be read" . whyUnreadable($this->file) . ': restart the app, or run php-sessions doctor');
        }
        return $this->values = $values;
    }

    private function readUncached(): mixed
    {
        $before = [];
        foreach (['opcache.validate_timestamps' => '1', 'opcache.revalidate_freq' => '0'] as $name => $value) {
            $before[$name] = \function_exists('ini_set') ? ini_set($name, $value) : false;
        }
        $values = include $this->file;
        foreach ($before as $name => $value) {
            $value === false || ini_set($name, $value);
        }
        return $values;
    }

    /** Whether the file has new settings. It may have been replaced within the second in which it was read. */
    public function isNew(): bool
    {
        if ($this->isReread) {
            return false;
        }
        $this->isReread = true;
        if (function_exists('opcache_invalidate')) {
            Warnings::quietly(fn (): bool => opcache_invalidate($this->file, true));
        }
        clearstatcache(true, $this->file);
        $before = $this->values;
        return $this->read() !== $before;
    }
}
