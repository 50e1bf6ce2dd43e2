<?php

namespace PhpSessions;

use function str_contains;

/**
 * A session that is in the store as an envelope has it, under the name that the key gives it, or under its id without a key.
 *
 * Unreadable data are not a session and stay unchanged: nothing overwrites them.
 */
final class SealedSession implements LockedSession
{
    private string $name = '';
    private string|false $data = false;
    private bool $isUnreadable = false;
    /** @var array<string, true> the lines that this request has written into the log */
    private array $told = [];

    public function __construct(
        private readonly LockedSession $inner,
        private readonly ?SealingKey $key,
        private readonly ?string $compression,
    ) {
    }

    public function nameFor(#[\SensitiveParameter] string $id): string
    {
        return $this->key?->nameFor($id) ?? $id;
    }

    /** The session as the store has it; false where there is none. */
    public function bytes(#[\SensitiveParameter] string $id): string|false
    {
        if (!$this->inner->take($this->nameFor($id), true)) {
            return false;
        }
        $bytes = $this->inner->data();
        $this->inner->release('nothing');
        return $bytes;
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return $this->inner->accepts($id) && !str_contains($id, '<');
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        [$this->name, $this->data, $this->isUnreadable] = [$this->nameFor($id), false, false];
        if (!$this->inner->take($this->name, $mustExist, $isNew)) {
            return false;
        }
        $bytes = $this->inner->data();
        if ($bytes === false) {
            return true;
        }
        try {
            $this->data = Envelope::open($bytes, $this->key, $this->name);
        } catch (Unreadable $why) {
            $this->isUnreadable = true;
            $this->tell("a session in the store cannot be used: {$why->getMessage()}. It stays as it is, and its visitor gets a new one");
            if ($mustExist) {
                $this->inner->release('nothing');
                return false;
            }
        } catch (StoreFailed $failure) {
            $this->inner->release('nothing');
            throw $failure;
        }
        return true;
    }

    /** Whether there is a session that this app cannot use. */
    public function isUnreadable(): bool
    {
        return $this->isUnreadable;
    }

    public function data(): string|false
    {
        return $this->data;
    }

    public function holds(): bool
    {
        return $this->inner->holds();
    }

    public function note(): ?string
    {
        return $this->inner->note();
    }

    public function isCopied(string $note): bool
    {
        return $this->inner->isCopied($note);
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        if ($this->isUnreadable) {
            $what !== 'set' || $this->tell('a session is not kept: the store has an unusable one in its place');
            $what = 'nothing';
        }
        $bytes = match ($what) {
            'set' => Envelope::close($data, $this->key, $this->name, $this->compression),
            'touch' => (string) $this->inner->data(),
            default => '',
        };
        $this->inner->release($what, $bytes, $this->isUnreadable ? null : $note);
        if ($what === 'set') {
            $this->data = $data;
        }
    }

    /** A request may read and write the same session twice. */
    private function tell(string $line): void
    {
        isset($this->told[$line]) || report($line);
        $this->told[$line] = true;
    }

    public function forget(): void
    {
        $this->inner->forget();
    }

    public function recover(): void
    {
        $this->inner->recover();
    }

    public function onStoreError(): string
    {
        return $this->inner->onStoreError();
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
