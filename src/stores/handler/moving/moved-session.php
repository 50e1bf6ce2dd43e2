<?php

namespace PhpSessions;

/**
 * A session that moves from the previous store into the bound one, while some instances of the app still know only the
 * previous store, or only the bound one already.
 *
 * It is locked and written in both, the previous store first. A note beside the session in the bound store says what both
 * had after that. So a later write to only one of them is detected, and that one counts.
 */
final class MovedSession implements LockedSession
{
    private string $id = '';
    /** What the previous store has; null if it cannot be asked. */
    private string|false|null $old = null;
    private string|false $data = false;

    public function __construct(
        private readonly LockedSession $bound,
        private readonly LockedSession $previous,
        private readonly Outage $outage,
    ) {
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return $this->bound->accepts($id);
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        $this->id = $id;
        $this->takeBoth($id, $isNew);
        if ($this->isOvertaken()) {
            $this->releasePrevious('nothing', '');
            $this->bound->release('nothing');
            $this->takeBoth($id, false);
        }
        $this->data = $this->newest($this->bound->data());
        if ($mustExist && $this->data === false) {
            $isUnknown = $this->old === null && $this->outage->isYoung();
            $this->release('nothing');
            return $isUnknown
                ? throw new StoreFailed('the previous session store, which may have this session, cannot be used: ' . $this->outage->why())
                : false;
        }
        return true;
    }

    private function takeBoth(#[\SensitiveParameter] string $id, bool $isNew): void
    {
        $this->old = $this->previous->accepts($id) ? $this->takePrevious($id, $isNew) : false;
        try {
            $this->bound->take($id, isNew: $isNew);
        } catch (\Throwable $failure) {
            $this->releasePrevious('nothing', '');
            throw $failure;
        }
    }

    /**
     * Whether both stores may have got the session after the previous one was asked. PHP's files cannot lock a session that they
     * do not have: a request that had it in the bound store may have written it into both meanwhile.
     */
    private function isOvertaken(): bool
    {
        $new = $this->bound->data();
        return $this->old === false && $new !== false && noteOf($new, $this->id) === $this->bound->note();
    }

    private function takePrevious(#[\SensitiveParameter] string $id, bool $isNew): string|false|null
    {
        if ($this->outage->isOn()) {
            return null;
        }
        try {
            $this->previous->take($id, isNew: $isNew);
            $this->outage->end();
            return $this->previous->data();
        } catch (StoreFailed $failure) {
            $this->lose($failure);
            return null;
        }
    }

    /** The session as it was written last; false if it was ended where it was written last. */
    private function newest(string|false $new): string|false
    {
        $old = $this->old;
        if ($old === null || $old === $new) {
            return $new;
        }
        $note = $this->bound->note();
        if ($note === null) {
            return $old === false ? $new : $old;
        }
        $isOldKnown = $old !== false && (noteOf($old, $this->id) === $note || $this->previous->isCopied($note));
        $isNewKnown = $new !== false && (noteOf($new, $this->id) === $note || $this->bound->isCopied($note));
        if ($old !== false && $new !== false && !$isOldKnown && !$isNewKnown) {
            report('a session was changed in both stores, by instances unaware of each other: the one in the bound store counts');
        }
        return match (true) {
            $isNewKnown => $old,
            $isOldKnown => $new,
            default => $new === false ? $old : $new,
        };
    }

    public function data(): string|false
    {
        return $this->data;
    }

    public function note(): ?string
    {
        return $this->bound->note();
    }

    public function isCopied(string $note): bool
    {
        return $this->bound->isCopied($note);
    }

    public function holds(): bool
    {
        return $this->bound->holds();
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        if (!$this->holds()) {
            return;
        }
        $new = $this->bound->data();
        try {
            $isInBoth = $this->releasePrevious($this->stepFor($what, $this->old), $data);
        } catch (\Throwable $failure) {
            $this->bound->release('nothing');
            throw $failure;
        }
        $step = $this->stepFor($what, $new);
        $this->bound->release($step, $data, $isInBoth && $step !== 'nothing' ? noteOf($data, $this->id) : null);
        if ($what === 'set') {
            $this->old = $this->data = $data;
        }
    }

    /** The step for the session in a store that has these data. */
    private function stepFor(string $what, #[\SensitiveParameter] string|false|null $there): string
    {
        $isOther = ($there ?? false) !== $this->data;
        return match ($what) {
            'touch' => $isOther ? 'set' : 'touch',
            'keep' => $isOther ? 'set' : 'keep',
            // It was ended in the other one.
            'nothing' => $isOther && $this->data === false ? 'delete' : 'nothing',
            default => $what,
        };
    }

    /** Whether the previous store has done it. */
    private function releasePrevious(string $what, #[\SensitiveParameter] string $data): bool
    {
        if (!$this->previous->holds()) {
            return false;
        }
        try {
            $this->previous->release($what, $data);
            return true;
        } catch (StoreFailed $failure) {
            if ($failure->getCode() === StoreFailed::TOO_LARGE) {
                report('the previous session store does not accept a session: ' . printable(explainFailure($failure)));
            } else {
                $this->lose($failure);
            }
            return false;
        }
    }

    /** Continues without the previous store if it fails as a whole, not only for this session. */
    private function lose(StoreFailed $failure): void
    {
        $this->previous->forget();
        $failure->getCode() === StoreFailed::AWAY ? $this->outage->begin(explainFailure($failure)) : throw $failure;
    }

    public function forget(): void
    {
        $this->previous->forget();
        $this->bound->forget();
    }

    public function recover(): void
    {
        $this->previous->recover();
        $this->bound->recover();
    }

    public function onStoreError(): string
    {
        return $this->bound->onStoreError();
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
