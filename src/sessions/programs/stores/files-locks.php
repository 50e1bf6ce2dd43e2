<?php

namespace PhpSessions;

/** Finds the locked session files. Linux lists the locks of all processes that are visible here. */
function addFilesLocks(Locks $locks, FilesSessionStore $store): void
{
    $list = Warnings::quietly(fn () => file_get_contents('/proc/locks'));
    if ($list === false) {
        throw new StoreFailed('cannot tell which request locked a file: there is no /proc/locks');
    }
    $holders = $waiting = [];
    foreach (explode("\n", $list) as $line) {
        if (preg_match('/^\d+:( +->)? +FLOCK +\S+ +\S+ +(\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /', $line, $found)) {
            [, $isWaiting, $process, $major, $minor, $inode] = $found;
            $file = hexdec($major) . ':' . hexdec($minor) . ":$inode";
            if ($isWaiting === '') {
                $holders[$file] = $process;
            } else {
                $waiting[$file] = ($waiting[$file] ?? 0) + 1;
            }
        }
    }
    $host = preg_replace('/[^\w.-]/', '_', (string) gethostname());
    foreach ($store->keys() as $keys) {
        foreach ($store->states($keys) as $key => ['dev' => $device, 'ino' => $inode]) {
            $file = ($device >> 8 & 0xfff | $device >> 32 & ~0xfff) . ':' . ($device & 0xff | $device >> 12 & ~0xff) . ":$inode";
            if (isset($holders[$file])) {
                $locks->add((string) $key, "$host|$holders[$file]", 0, null, $waiting[$file] ?? 0);
            }
        }
    }
}
