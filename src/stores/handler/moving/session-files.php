<?php

namespace PhpSessions;

use function array_pop, explode, fileowner, sys_get_temp_dir, substr;

/** Where PHP keeps its sessions in files, and how deep: `N;MODE;PATH` spreads them over directories below the first. */
function filesRoot(string $savePath): array
{
    $parts = explode(';', $savePath, 3);
    return [array_pop($parts) ?: sys_get_temp_dir(), (int) ($parts[0] ?? 0)];
}

/** Where the file of a session is. */
function fileDirectory(string $savePath, #[\SensitiveParameter] string $id): string
{
    [$directory, $depth] = filesRoot($savePath);
    for ($i = 0; $i < $depth; $i++) {
        $directory .= '/' . substr($id, $i, 1);
    }
    return $directory;
}

function ownUser(): int|false
{
    return \function_exists('posix_geteuid') ? posix_geteuid() : fileowner('/proc/self');
}

/** Whether a file, as lstat has found it, is a regular one of the own user, or of root; root takes those of all. */
function isOwnFile(array $found): bool
{
    $user = ownUser();
    return ($found['mode'] & 0170000) === 0100000 && ($user === 0 || $found['uid'] === 0 || $found['uid'] === $user);
}
