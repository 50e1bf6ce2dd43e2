<?php

namespace PhpSessions;

/** Describes a session: names, types and sizes, and values only if they were asked for. Excess data are left out. */
final class Description
{
    private const ITEMS = 2000;
    private const DEPTH = 8;
    private const BYTES = 500;

    private int $items = 0;

    public function __construct(private readonly bool $hasValues)
    {
    }

    public function of(mixed $value, int $depth = 0): array
    {
        return match (true) {
            $value instanceof Structure => $this->structure($value, $depth),
            is_string($value) => ['type' => 'string', 'size' => strlen($value)] + $this->shown(substr($value, 0, self::BYTES)),
            $value === null => ['type' => 'null'],
            default => ['type' => get_debug_type($value)] + $this->shown(is_float($value) ? (string) $value : $value),
        };
    }

    private function shown(mixed $value): array
    {
        // Readers of JSON take numbers of 53 bits.
        $isLong = is_int($value) && abs($value) > 2 ** 53;
        return $this->hasValues ? ['value' => $isLong ? (string) $value : $value] : [];
    }

    private function structure(Structure $structure, int $depth): array
    {
        $described = $structure->class === '' ? ['type' => 'array'] : ['type' => 'object', 'class' => $structure->class];
        $items = [];
        foreach ($depth < self::DEPTH ? $structure->items : [] as [$name, $value]) {
            if (++$this->items > self::ITEMS) {
                break;
            }
            // Of a property that is not public, PHP keeps the class, too.
            $items[] = ['name' => substr((string) strrchr("\0$name", "\0"), 1)] + $this->of($value, $depth + 1);
        }
        return $described + ['size' => count($structure->items), 'items' => $items];
    }
}

answer(function (): array {
    ['id' => $id, 'values' => $hasValues] = Asked::$question;
    $ring = keyringOf('main');
    $found = openStore('main')->read($ring->namesFor($id));
    $key = array_key_first($found);
    if ($key === null) {
        return ['isThere' => false];
    }
    [$data, $seconds] = $found[$key];
    $plain = plainOf($ring, (string) $key, $data);
    [$format, $session] = $plain === null ? [null, null] : decodeSession($plain) ?? [null, null];
    return [
        'isThere' => true,
        'bytes' => strlen($data),
        'plainBytes' => strlen($plain ?? $data),
        'seconds' => $seconds === null ? null : (int) $seconds,
        'format' => $format,
        'variables' => $session === null ? [] : (new Description($hasValues))->of($session)['items'],
    ];
});
