<?php

namespace PhpSessions;

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
