<?php

namespace PhpSessions;

/** The scripts that servers run, each after its SHA-1: to work it out would take longer than all else in a request. */
final class Scripts
{
    public const TAKE = [
        'e5aac5dc812d7e26d053d7b1f0648aff5dea1fe1',
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
}
