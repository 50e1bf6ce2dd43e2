<?php

namespace PhpSessions;

/** Data that are no session in a format that is known, or are larger or deeper than a session is. */
final class Undecodable extends \Exception
{
}

/**
 * A value in a session: scalars as they are, arrays and objects as Structure. Nothing is ever unserialized, so no class is
 * loaded and no object made, whatever the data are.
 */
final class Structure
{
    /** @var list<array{string, mixed}> names and values */
    public array $items = [];

    /** The class; empty for an array. */
    public function __construct(public readonly string $class = '')
    {
    }
}

/** Reads data from the beginning to the end, within limits. */
abstract class Reader
{
    private const DEPTH = 50;
    private const VALUES = 100_000;

    private int $depth = 0;
    private int $count = 0;
    protected int $at = 0;

    public function __construct(#[\SensitiveParameter] protected readonly string $data)
    {
    }

    /** The whole session. */
    public function session(): Structure
    {
        $session = $this->value();
        return $session instanceof Structure && $session->class === '' && $this->isAtEnd() ? $session : throw new Undecodable();
    }

    final protected function value(): mixed
    {
        if (++$this->depth > self::DEPTH) {
            throw new Undecodable();
        }
        $value = $this->read();
        $this->depth--;
        return $value;
    }

    abstract protected function read(): mixed;

    public function isAtEnd(): bool
    {
        return $this->at === strlen($this->data);
    }

    protected function take(int $bytes): string
    {
        if ($bytes < 0 || $bytes > strlen($this->data) - $this->at || ++$this->count > 3 * self::VALUES) {
            throw new Undecodable();
        }
        $this->at += $bytes;
        return substr($this->data, $this->at - $bytes, $bytes);
    }

    /** A number of so many bytes, the highest first. */
    protected function number(int $bytes): int
    {
        $number = 0;
        foreach (unpack('C*', $this->take($bytes)) as $byte) {
            $number = $number << 8 | $byte;
        }
        return $number;
    }

    /** Takes note of an array or an object, before its items. */
    protected function begun(Structure $structure): void
    {
    }

    /** An array or an object of so many items, whose names and values a closure reads. */
    protected function structure(int $count, string $class, \Closure $name, \Closure $value): Structure
    {
        if ($count < 0 || $count > self::VALUES) {
            throw new Undecodable();
        }
        $this->begun($structure = new Structure($class));
        while ($count-- > 0) {
            $structure->items[] = [(string) $name(), $value()];
        }
        return $structure;
    }
}

/** What PHP's serialize() writes, which `php_serialize` keeps as a whole, and `php` and `php_binary` for each variable. */
class Serialized extends Reader
{
    protected function read(): mixed
    {
        $type = $this->take(1);
        if ($type === 'N') {
            $this->expect(';');
            return null;
        }
        $this->expect(':');
        return match ($type) {
            'b' => $this->until(';') === '1',
            'i' => (int) $this->until(';'),
            'd' => match ($number = $this->until(';')) {
                'NAN' => NAN,
                default => (float) str_replace('INF', '9e999', $number),
            },
            's' => $this->text(';'),
            'E' => new Structure(explode(':', $this->text(';'))[0]),
            'a' => $this->members(''),
            'O' => $this->members($this->text(':')),
            'C' => $this->opaque($this->text(':')),
            'r', 'R' => new Structure('reference to value ' . (int) $this->until(';')),
            default => throw new Undecodable(),
        };
    }

    private function members(string $class): Structure
    {
        $count = $this->count(':{');
        $structure = $this->structure($count, $class, fn (): mixed => $this->name(), fn (): mixed => $this->value());
        $this->expect('}');
        return $structure;
    }

    /** What a class has written in its own way. */
    private function opaque(string $class): Structure
    {
        $this->take($this->count(':{'));
        $this->expect('}');
        return new Structure($class);
    }

    private function name(): string|int
    {
        $name = $this->value();
        return is_int($name) || is_string($name) ? $name : throw new Undecodable();
    }

    private function text(string $end): string
    {
        $length = $this->count(':"');
        $text = $this->take($length);
        $this->expect("\"$end");
        return $text;
    }

    private function count(string $end): int
    {
        $number = $this->until($end);
        return preg_match('/^\d{1,11}$/D', $number) ? (int) $number : throw new Undecodable();
    }

    protected function until(string $end): string
    {
        $found = strpos($this->data, $end, $this->at);
        if ($found === false) {
            throw new Undecodable();
        }
        $text = $this->take($found - $this->at);
        $this->expect($end);
        return $text;
    }

    private function expect(string $text): void
    {
        if ($this->take(strlen($text)) !== $text) {
            throw new Undecodable();
        }
    }
}

/** The formats `php`, a name up to a bar, and `php_binary`, a byte with the length of a name. */
final class Variables extends Serialized
{
    public function __construct(#[\SensitiveParameter] string $data, private readonly bool $isBinary)
    {
        parent::__construct($data);
    }

    public function session(): Structure
    {
        $session = new Structure();
        while (!$this->isAtEnd()) {
            $name = $this->isBinary ? $this->take($this->number(1) & 127) : $this->until('|');
            $session->items[] = [$name, $this->value()];
        }
        return $session;
    }
}

final class Igbinary extends Reader
{
    /** @var list<string> */
    private array $strings = [];
    /** What is referred to by its number: arrays, objects, and values that PHP has a reference to. */
    private array $numbered = [];

    public function session(): Structure
    {
        return in_array($this->number(4), [1, 2], true) ? parent::session() : throw new Undecodable();
    }

    protected function read(): mixed
    {
        $type = $this->number(1);
        return match (true) {
            $type === 0x00 => null,
            $type <= 0x03 => $this->reference($type - 0x01),
            $type <= 0x05 => $type === 0x05,
            $type <= 0x0b => $this->integer($type - 0x06),
            $type === 0x0c => unpack('E', $this->take(8))[1],
            $type <= 0x13 => $this->text($type),
            $type <= 0x16 => $this->members('', $type - 0x14),
            $type <= 0x19 => $this->objectOf($this->known($this->take($this->size($type - 0x17)))),
            $type <= 0x1c => $this->objectOf($this->seen($this->size($type - 0x1a))),
            $type <= 0x1f => $this->opaque($type - 0x1d),
            $type <= 0x21 => $this->integer($type - 0x20 + 6),
            $type <= 0x24 => $this->reference($type - 0x22),
            $type === 0x25 => $this->referred(),
            default => throw new Undecodable(),
        };
    }

    protected function begun(Structure $structure): void
    {
        $this->numbered[] = $structure;
    }

    private function referred(): mixed
    {
        $value = $this->value();
        if (!$value instanceof Structure) {
            $this->numbered[] = $value;
        }
        return $value;
    }

    /** A size of 1, 2 or 4 bytes. */
    private function size(int $kind): int
    {
        return $this->number(1 << $kind);
    }

    private function integer(int $kind): int
    {
        $number = $this->number(1 << ($kind >> 1));
        return $kind & 1 && $number !== PHP_INT_MIN ? -$number : $number;
    }

    private function text(int $type): string
    {
        return match (true) {
            $type === 0x0d => '',
            $type <= 0x10 => $this->seen($this->size($type - 0x0e)),
            default => $this->known($this->take($this->size($type - 0x11))),
        };
    }

    private function known(string $text): string
    {
        return $this->strings[] = $text;
    }

    private function seen(int $number): string
    {
        return $this->strings[$number] ?? throw new Undecodable();
    }

    private function members(string $class, int $kind): Structure
    {
        return $this->structure($this->size($kind), $class, fn (): mixed => $this->name(), fn (): mixed => $this->value());
    }

    private function name(): string|int
    {
        $name = $this->value();
        return is_int($name) || is_string($name) ? $name : throw new Undecodable();
    }

    private function objectOf(string $class): Structure
    {
        $type = $this->number(1);
        return match (true) {
            $type >= 0x14 && $type <= 0x16 => $this->members($class, $type - 0x14),
            $type >= 0x1d && $type <= 0x1f => $this->opaque($type - 0x1d, $class),
            // An enum, with the name of its case.
            $type === 0x27 => $this->caseOf($class),
            default => throw new Undecodable(),
        };
    }

    private function caseOf(string $class): Structure
    {
        $this->begun($case = new Structure($class));
        $this->value();
        return $case;
    }

    private function opaque(int $kind, string $class = ''): Structure
    {
        $this->take($this->size($kind));
        $this->begun($opaque = new Structure($class));
        return $opaque;
    }

    /** Arrays that are the same are there once. An object is not repeated. */
    private function reference(int $kind): mixed
    {
        $value = $this->numbered[$this->size($kind)] ?? throw new Undecodable();
        return $value instanceof Structure && $value->class !== '' ? new Structure("the same $value->class") : $value;
    }
}

/** The extension msgpack has the class of an object as the value of a first name that is nil. */
final class Msgpack extends Reader
{
    protected function read(): mixed
    {
        $type = $this->number(1);
        return match (true) {
            $type <= 0x7f => $type,
            $type <= 0x8f => $this->members($type & 15),
            $type <= 0x9f => $this->listOf($type & 15),
            $type <= 0xbf => $this->take($type & 31),
            $type === 0xc0 => null,
            $type === 0xc2, $type === 0xc3 => $type === 0xc3,
            $type >= 0xc4 && $type <= 0xc6 => $this->take($this->number(1 << ($type - 0xc4))),
            $type === 0xca => unpack('G', $this->take(4))[1],
            $type === 0xcb => unpack('E', $this->take(8))[1],
            $type >= 0xcc && $type <= 0xcf => $this->number(1 << ($type - 0xcc)),
            $type >= 0xd0 && $type <= 0xd3 => $this->signed(1 << ($type - 0xd0)),
            $type >= 0xd9 && $type <= 0xdb => $this->take($this->number(1 << ($type - 0xd9))),
            $type === 0xdc, $type === 0xdd => $this->listOf($this->number($type === 0xdc ? 2 : 4)),
            $type === 0xde, $type === 0xdf => $this->members($this->number($type === 0xde ? 2 : 4)),
            $type >= 0xe0 => $type - 256,
            default => throw new Undecodable(),
        };
    }

    private function signed(int $bytes): int
    {
        $shift = 64 - 8 * $bytes;
        return $this->number($bytes) << $shift >> $shift;
    }

    private function listOf(int $count): Structure
    {
        $next = 0;
        return $this->structure($count, '', function () use (&$next): int {
            return $next++;
        }, fn (): mixed => $this->value());
    }

    private function members(int $count): Structure
    {
        if ($count === 0 || substr($this->data, $this->at, 1) !== "\xc0") {
            return $this->structure($count, '', fn (): mixed => $this->name(), fn (): mixed => $this->value());
        }
        $this->take(1);
        $class = match ($marker = $this->value()) {
            // An array that others refer to, as the session itself is.
            1 => '',
            default => is_string($marker) ? $marker : 'reference',
        };
        return $this->structure($count - 1, $class, fn (): mixed => $this->name(), fn (): mixed => $this->value());
    }

    /** Nil is the name of what a class has written in its own way. */
    private function name(): string|int|null
    {
        $name = $this->value();
        return $name instanceof Structure || is_bool($name) || is_float($name) ? throw new Undecodable() : $name;
    }
}

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
