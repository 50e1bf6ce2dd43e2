<?php

namespace PhpSessions;

/** Data that are not a session in a known format, or are larger or deeper than a session. */
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
