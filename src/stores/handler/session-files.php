<?php

namespace PhpSessions;

use function array_pop, explode, fileowner, sys_get_temp_dir, substr;

/** Where PHP keeps the file of a session: `N;MODE;PATH` spreads the files over directories, N deep. */
function fileDirectory(string $savePath, #[\SensitiveParameter] string $id): string
{
    $parts = explode(';', $savePath, 3);
    $directory = array_pop($parts) ?: sys_get_temp_dir();
    for ($i = 0; $i < (int) ($parts[0] ?? 0); $i++) {
        $directory .= '/' . substr($id, $i, 1);
    }
    return $directory;
}

/** Whether a file, as lstat has found it, is a regular one of the own user, or of root; root takes those of all. */
function isOwnFile(array $found): bool
{
    $user = \function_exists('posix_geteuid') ? posix_geteuid() : fileowner('/proc/self');
    return ($found['mode'] & 0170000) === 0100000 && ($user === 0 || $found['uid'] === 0 || $found['uid'] === $user);
}
