<?php

namespace PhpSessions;

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

    /** Data in a class' own format. */
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
