<?php

namespace PhpSessions;

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

    /** Equal arrays are stored once. An object is not repeated. */
    private function reference(int $kind): mixed
    {
        $value = $this->numbered[$this->size($kind)] ?? throw new Undecodable();
        return $value instanceof Structure && $value->class !== '' ? new Structure("the same $value->class") : $value;
    }
}
