<?php

namespace PhpSessions;

/** A session in the format that the app's PHP is set to, or in another one that fits; null if none does. Also its format. */
function decodeSession(#[\SensitiveParameter] string $data): ?array
{
    $readers = [
        'php' => fn () => new Variables($data, isBinary: false),
        'php_serialize' => fn () => new Serialized($data),
        'php_binary' => fn () => new Variables($data, isBinary: true),
        'igbinary' => fn () => new Igbinary($data),
        'msgpack' => fn () => new Msgpack($data),
    ];
    $set = getIni('session.serialize_handler');
    foreach ([$set, ...array_diff(array_keys($readers), [$set])] as $format) {
        try {
            return isset($readers[$format]) ? [$format, $data === '' ? new Structure() : $readers[$format]()->session()] : throw new Undecodable();
        } catch (Undecodable) {
            // Perhaps the next one.
        }
    }
    return null;
}
