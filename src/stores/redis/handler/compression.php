<?php

namespace PhpSessions;

use function str_starts_with;

/** What phpredis' own handler has compressed, as PHP's session; other data as they are. */
function uncompress(#[\SensitiveParameter] string $data): string
{
    $methods = ['lzf' => 1, 'zstd' => 2, 'lz4' => 3];
    $method = $methods[getIni('redis.session.compression')] ?? 0;
    // Not compressed is what igbinary has serialized, and begins so.
    if ($method === 0 || $data === '' || str_starts_with($data, "\0\0\0") || str_starts_with($data, Envelope::MARK)) {
        return $data;
    }
    $client = new \Redis();
    $client->setOption(\Redis::OPT_COMPRESSION, $method);
    try {
        return $client->_uncompress($data);
    } catch (\RedisException) {
        // This handler has written it.
        return $data;
    }
}
