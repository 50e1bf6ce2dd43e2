<?php

namespace PhpSessions;

use function array_map, bin2hex, str_starts_with, substr;

/**
 * The keys in the settings of a store, for the handler, and for programs that have names and bytes instead of a
 * visitor.
 */
final class Keyring
{
    /** @var list<?SealingKey> the first one writes; null stands for sessions as they are */
    public readonly array $keys;
    public readonly ?string $compression;

    public function __construct(#[\SensitiveParameter] array $settings)
    {
        $this->keys = array_map(fn (string $hex) => $hex === '' ? null : new SealingKey($hex), $settings['keys'] ?? ['']);
        $this->compression = $settings['compression'] ?? null;
    }

    /** What a session may be called in the store, without the prefix: the name that is written first. */
    public function namesFor(#[\SensitiveParameter] string $id): array
    {
        return array_map(fn (?SealingKey $key) => $key?->nameFor($id) ?? $id, $this->keys);
    }

    /** The data of a session, as PHP has serialized them; Unreadable where no key opens it. */
    public function open(string $name, #[\SensitiveParameter] string $bytes): string
    {
        if (!str_starts_with($name, '<')) {
            return Envelope::open($bytes, null, $name);
        }
        $id = bin2hex(substr($bytes, 5, 8));
        foreach ($this->keys as $key) {
            if ($bytes === '' || $key?->id === $id) {
                return Envelope::open($bytes, $key, $name);
            }
        }
        throw new Unreadable("it is sealed with the key $id, which is not in the list, or not at all");
    }

    /** The name and the bytes with which a session is written. */
    public function close(#[\SensitiveParameter] string $id, #[\SensitiveParameter] string $data): array
    {
        $name = $this->namesFor($id)[0];
        return [$name, Envelope::close($data, $this->keys[0], $name, $this->compression)];
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
