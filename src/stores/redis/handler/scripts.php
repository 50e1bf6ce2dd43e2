<?php

namespace PhpSessions;

use function sha1;

/** The scripts that servers run, each after its SHA-1: to work it out would take longer than all else in a request. */
final class Scripts
{
    public const TAKE = [
        '4ee08d9300b5be03aa7b93cd7f84fe8e068864a0',
        <<<'LUA'
        take.lua
        LUA,
    ];

    public const RELEASE = [
        '8a20a477a4a16902f5e12b873ba7538eb7daa79d',
        <<<'LUA'
        release.lua
        LUA,
    ];

    /** Runs in place of TAKE where locks are off. */
    public const READ = [
        'dd4fd5d62fedaec90beddf451332675a725e5ec2',
        "return {ARGV[1], 1, redis.call('GET', KEYS[1])}",
    ];

    /** RELEASE with a sixth key, for a note that is the last argument. */
    public static function releaseWithNote(): array
    {
        $lua = 'local function release() ' . self::RELEASE[1] . <<<'LUA'
         end
        local done = release()
        if done.err or done[2] ~= 1 then return done end
        if ARGV[2] == 'delete' then redis.call('DEL', KEYS[6])
        else redis.pcall('SETEX', KEYS[6], ARGV[3], ARGV[#ARGV]) end
        return done
        LUA;
        return [sha1($lua), $lua];
    }
}
