<?php

namespace PhpSessions;

/** The scripts that servers run, each after its SHA-1: to work it out would take longer than all else in a request. */
final class Scripts
{
    public const TAKE = [
        '87cde5df469c1c8e233fa34f245f85b2c80ec9f9',
        <<<'LUA'
        take.lua
        LUA,
    ];

    public const RELEASE = [
        '0cdaf1399a4d243d6693563398ef1385fe1eedd7',
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
