<?php

namespace PhpSessions;

use function chr, function_exists, hash_hmac, hex2bin, ord, random_bytes, sodium_bin2base64, sodium_bin2hex,
sodium_crypto_aead_xchacha20poly1305_ietf_decrypt, sodium_crypto_aead_xchacha20poly1305_ietf_encrypt,
sodium_crypto_generichash, sodium_crypto_kdf_derive_from_key, str_starts_with, strlen, substr;

/** Bytes in the store that are not a session for this app. The message says why, and shows none of them. */
final class Unreadable extends \Exception
{
}

/** A key, by which sessions are named and sealed. Its parts come from it by libsodium's key derivation. */
final class SealingKey
{
    private const CONTEXT = 'phpsessn';
    private const NAME_BYTES = 24;
    private const ID_BYTES = 8;
    private const NONCE_BYTES = 24;

    /** Names the key, and is not secret: 16 hex digits. */
    public readonly string $id;
    private readonly string $naming;
    private readonly string $sealing;

    /** `$key` is 32 bytes in hex. */
    public function __construct(#[\SensitiveParameter] string $key)
    {
        if (!function_exists('sodium_crypto_aead_xchacha20poly1305_ietf_encrypt')) {
            throw new StoreFailed('PHP has no extension sodium, which encrypts sessions');
        }
        $part = fn (int $number): string => sodium_crypto_kdf_derive_from_key(32, $number, self::CONTEXT, (string) hex2bin($key));
        [$this->naming, $this->sealing, $this->id] = [$part(1), $part(2), sodium_bin2hex(substr($part(3), 0, self::ID_BYTES))];
    }

    /** What a session is called in the store. No id begins like this: PHP itself refuses those with `<`. */
    public function nameFor(#[\SensitiveParameter] string $id): string
    {
        $hash = sodium_crypto_generichash($id, $this->naming, self::NAME_BYTES);
        return '<' . sodium_bin2base64($hash, SODIUM_BASE64_VARIANT_URLSAFE_NO_PADDING);
    }

    /** `$head` and `$name` are not in the result, and it opens only with the same. */
    public function seal(#[\SensitiveParameter] string $data, string $head, string $name): string
    {
        $nonce = random_bytes(self::NONCE_BYTES);
        $id = (string) hex2bin($this->id);
        return $id . $nonce . sodium_crypto_aead_xchacha20poly1305_ietf_encrypt($data, "$head$id$name", $nonce, $this->sealing);
    }

    public function open(string $sealed, string $head, string $name): string
    {
        if (strlen($sealed) < self::ID_BYTES + self::NONCE_BYTES) {
            throw new Unreadable('it is truncated');
        }
        $id = substr($sealed, 0, self::ID_BYTES);
        if ($id !== hex2bin($this->id)) {
            throw new Unreadable('it is sealed with the key ' . sodium_bin2hex($id) . ", and its name belongs to the key {$this->id}");
        }
        $nonce = substr($sealed, self::ID_BYTES, self::NONCE_BYTES);
        $box = substr($sealed, self::ID_BYTES + self::NONCE_BYTES);
        $data = sodium_crypto_aead_xchacha20poly1305_ietf_decrypt($box, "$head$id$name", $nonce, $this->sealing);
        return $data !== false ? $data : throw new Unreadable('it was altered, or sealed for another session');
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** The form of a session's data in the store: plain, or after a mark and a byte that says how they were changed. */
final class Envelope
{
    /** No serializer of PHP writes a session that begins so. */
    public const MARK = "\0ps1";
    private const HEAD_BYTES = 5;
    private const SEALED = 0x80;

    public static function close(#[\SensitiveParameter] string $data, ?SealingKey $key, string $name, ?string $method): string
    {
        [$how, $data] = compressed($data, $method);
        if ($key === null) {
            return $how === 0 ? $data : self::MARK . chr($how) . $data;
        }
        $head = self::MARK . chr($how | self::SEALED);
        return $head . $key->seal($data, $head, $name);
    }

    /** An empty session has been given to a visitor, and nothing was written yet. */
    public static function open(#[\SensitiveParameter] string $bytes, ?SealingKey $key, string $name): string
    {
        $isPlain = !str_starts_with($bytes, self::MARK) || strlen($bytes) < self::HEAD_BYTES;
        if ($bytes === '' || ($isPlain && $key === null)) {
            return $bytes;
        }
        $how = $isPlain ? 0 : ord($bytes[self::HEAD_BYTES - 1]);
        if (($how & self::SEALED) === 0 && $key !== null) {
            throw new Unreadable('it is not sealed');
        }
        if (($how & self::SEALED) !== 0 && $key === null) {
            throw new Unreadable('it is sealed, but has the name of an unsealed session');
        }
        if (strlen($bytes) > roomBytes()) {
            throw new StoreFailed('the session does not fit into memory_limit');
        }
        $data = substr($bytes, self::HEAD_BYTES);
        $data = $key === null ? $data : $key->open($data, substr($bytes, 0, self::HEAD_BYTES), $name);
        return decompressed($data, $how & ~self::SEALED);
    }
}

/**
 * The note beside a session that says that another store has the same data. The name makes it useless to readers of
 * the store who do not know the name.
 */
function noteOf(#[\SensitiveParameter] string $data, #[\SensitiveParameter] string $name): string
{
    return hash_hmac('sha256', $data, $name);
}
