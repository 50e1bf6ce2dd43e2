<?php

namespace PhpSessions;

use function defined, extension_loaded, function_exists, gzcompress, gzuncompress, ord, pack, phpversion, strlen, substr, unpack,
version_compare;

/** What was done to data, as a byte of the store says it. phpredis puts other bytes before what lz4 makes of them. */
const COMPRESSED_GZIP = 1;
const COMPRESSED_LZ4 = 2;
const COMPRESSED_ZSTD = 3;
const COMPRESSED_LZ4_PHPREDIS = 4;

/** Shorter data do not shrink. */
const COMPRESSED_FROM_BYTES = 128;

/** The number of a method, as this PHP has it; 0 for none. */
function compressionOf(?string $method): int
{
    return match (true) {
        $method === 'gzip' && function_exists('gzcompress') => COMPRESSED_GZIP,
        $method === 'lz4' && function_exists('lz4_compress') => COMPRESSED_LZ4,
        $method === 'lz4' && phpredisHas('LZ4') => COMPRESSED_LZ4_PHPREDIS,
        $method === 'zstd' && (function_exists('zstd_compress') || phpredisHas('ZSTD')) => COMPRESSED_ZSTD,
        default => 0,
    };
}

/** Before version 6 phpredis compresses only for a server. */
function phpredisHas(string $method): bool
{
    return extension_loaded('redis') && version_compare((string) phpversion('redis'), '6.0', '>=') && defined("Redis::COMPRESSION_$method");
}

/** What was done to the data, and the result: nothing where that would not be shorter. */
function compressed(#[\SensitiveParameter] string $data, ?string $method): array
{
    $how = strlen($data) < COMPRESSED_FROM_BYTES ? 0 : compressionOf($method);
    $short = match ($how) {
        0 => $data,
        COMPRESSED_GZIP => pack('V', strlen($data)) . gzcompress($data, 3),
        COMPRESSED_LZ4 => \lz4_compress($data),
        COMPRESSED_ZSTD => function_exists('zstd_compress') ? \zstd_compress($data) : phpredisCompressing('ZSTD')->_compress($data),
        COMPRESSED_LZ4_PHPREDIS => phpredisCompressing('LZ4')->_compress($data),
    };
    return $short === false || strlen($short) >= strlen($data) ? [0, $data] : [$how, $short];
}

/** Never returns more data than they state, nor more than memory_limit allows. */
function decompressed(#[\SensitiveParameter] string $data, int $how): string
{
    if ($how === 0) {
        return $data;
    }
    $long = match ($how) {
        COMPRESSED_GZIP, COMPRESSED_LZ4 => unpack('V', $data . "\xff\xff\xff\xff")[1],
        COMPRESSED_ZSTD => zstdBytes($data),
        // After a checksum of one byte.
        COMPRESSED_LZ4_PHPREDIS => unpack('V', substr($data, 1) . "\xff\xff\xff\xff")[1],
        default => throw new Unreadable("it was compressed by a method that this version does not know, $how"),
    };
    if ($long > roomBytes()) {
        throw new StoreFailed('the session does not fit into memory_limit');
    }
    try {
        $plain = match (true) {
            $how === COMPRESSED_GZIP && function_exists('gzuncompress') => gzuncompress(substr($data, 4), $long),
            $how === COMPRESSED_LZ4 && function_exists('lz4_uncompress') => \lz4_uncompress($data, $long),
            $how === COMPRESSED_ZSTD && function_exists('zstd_uncompress') => \zstd_uncompress($data),
            $how === COMPRESSED_ZSTD && phpredisHas('ZSTD') => phpredisCompressing('ZSTD')->_uncompress($data),
            $how === COMPRESSED_LZ4_PHPREDIS && phpredisHas('LZ4') => phpredisCompressing('LZ4')->_uncompress($data),
            default => throw new Unreadable('it is compressed, and this PHP has no extension that reads it'),
        };
    } catch (\RedisException) {
        $plain = false;
    }
    return $plain !== false ? $plain : throw new Unreadable('it cannot be decompressed');
}

/** The length that a zstd frame states for its data; without one it counts as endless. */
function zstdBytes(string $frame): int
{
    $endless = PHP_INT_MAX;
    if (strlen($frame) < 14 || substr($frame, 0, 4) !== "\x28\xb5\x2f\xfd") {
        return strlen($frame) < 14 ? 0 : $endless;
    }
    $flags = ord($frame[4]);
    $isSingle = ($flags & 0x20) !== 0;
    $at = 5 + ($isSingle ? 0 : 1) + [0, 1, 2, 4][$flags & 3];
    return match ($flags >> 6) {
        0 => $isSingle ? ord($frame[$at]) : $endless,
        1 => 256 + unpack('v', $frame, $at)[1],
        2 => unpack('V', $frame, $at)[1],
        3 => strlen($frame) < $at + 8 || ord($frame[$at + 7]) > 0x7f ? $endless : unpack('P', $frame, $at)[1],
    };
}

function phpredisCompressing(string $method): \Redis
{
    $client = new \Redis();
    $client->setOption(\Redis::OPT_COMPRESSION, \constant("Redis::COMPRESSION_$method"));
    return $client;
}
