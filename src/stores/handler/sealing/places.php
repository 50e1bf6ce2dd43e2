<?php

namespace PhpSessions;

use function array_reverse, count, ksort, reset;

/**
 * A session that may be in one of several places, for example under the name that an older key gives it. All of them are
 * read, the first one is written, and what is written is removed where it was found.
 *
 * The request that holds the lock of a session's place has the session, and moves it with the locks of both places.
 * If a request takes several locks, it takes them in the order of the labels, so no requests wait in a circle.
 */
final class Places implements LockedSession
{
    /** @var array<string, SealedSession> by their labels, the one that is written first */
    private array $places = [];
    private readonly SealedSession $plain;
    /** Where the session of this request is written, and where it was found, if that is elsewhere. */
    private ?SealedSession $target = null;
    private ?SealedSession $source = null;

    /** `$open` gives the store with its settings; `$make` a session of it, which opens nothing before it is taken. */
    public function __construct(private readonly \Closure $open, private readonly \Closure $make)
    {
        $this->plain = new SealedSession($make(), null, null);
    }

    public function accepts(#[\SensitiveParameter] string $id): bool
    {
        return $this->plain->accepts($id);
    }

    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool
    {
        $places = $this->places();
        [$this->target, $this->source] = [reset($places), null];
        if (count($places) === 1 || $isNew) {
            return $this->target->take($id, $mustExist, $isNew);
        }
        // The usual case. Without a session there it takes no lock, so that none is held while others are waited for.
        return $this->target->take($id, true) || $this->search($id, $mustExist);
    }

    /** Takes the locks in the order of the labels, until one of the places has the session and the first place is locked. */
    private function search(#[\SensitiveParameter] string $id, bool $mustExist): bool
    {
        $ordered = $this->places;
        ksort($ordered, SORT_STRING);
        $taken = [];
        $found = null;
        try {
            foreach ($ordered as $place) {
                if (($found === null || $place === $this->target) && $this->lock($place, $id)) {
                    $taken[] = $place;
                    $found ??= $place->data() === false ? null : $place;
                }
                if ($found !== null && $this->target->holds()) {
                    break;
                }
            }
            $isRefused = $mustExist && $found === null;
            foreach (array_reverse($taken) as $place) {
                if ($isRefused || ($place !== $this->target && $place !== $found)) {
                    $place->release('nothing');
                }
            }
        } catch (\Throwable $failure) {
            self::leave(...$taken);
            throw $failure;
        }
        if ($found !== null && $this->target->isUnreadable()) {
            // It is not written over: the session stays where it is.
            $this->target->release('nothing');
            $this->target = $found;
        }
        $this->source = $found === $this->target ? null : $found;
        return !$isRefused;
    }

    /** Takes the lock of a place, unless the session cannot be there. */
    private function lock(SealedSession $place, #[\SensitiveParameter] string $id): bool
    {
        try {
            return $place->take($id);
        } catch (StoreFailed $failure) {
            return $failure->getCode() === StoreFailed::NAMELESS && $place !== $this->target ? false : throw $failure;
        }
    }

    public function data(): string|false
    {
        return ($this->source ?? $this->target)?->data() ?? false;
    }

    public function holds(): bool
    {
        return $this->target?->holds() ?? false;
    }

    public function note(): ?string
    {
        return ($this->source ?? $this->target)?->note();
    }

    public function isCopied(string $note): bool
    {
        return ($this->source ?? $this->target)?->isCopied($note) ?? false;
    }

    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void
    {
        [$source, $this->source] = [$this->source, null];
        if ($source === null) {
            $this->target?->release($what, $data, $note);
            return;
        }
        $isKept = $what === 'set' || $what === 'touch';
        try {
            $this->target->release($isKept ? 'set' : 'nothing', $data, $isKept ? $note : null);
        } catch (\Throwable $failure) {
            self::leave($source);
            throw $failure;
        }
        $isOver = $isKept || $what === 'delete';
        $source->release($isOver ? 'delete' : 'nothing', '', $isOver ? $note : null);
    }

    /** Releases locks after a failure, which is the one reported. */
    private static function leave(SealedSession ...$taken): void
    {
        foreach ($taken as $place) {
            try {
                $place->release('nothing');
            } catch (\Throwable) {
            }
        }
    }

    public function forget(): void
    {
        foreach ($this->places as $place) {
            $place->forget();
        }
    }

    public function recover(): void
    {
        foreach ($this->places as $place) {
            $place->recover();
        }
    }

    public function onStoreError(): string
    {
        return ($this->target ?? $this->plain)->onStoreError();
    }

    /** What the store has of a session: the bytes where it is written, and those under its id. */
    public function stored(#[\SensitiveParameter] string $id): array
    {
        $places = $this->places();
        return [reset($places)->bytes($id), (new SealedSession(($this->make)(), null, null))->bytes($id)];
    }

    /** @return array<string, SealedSession> */
    public function places(): array
    {
        return $this->places = $this->places ?: placesOf(($this->open)()->settings, $this->make);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}

/** The places that the settings of a store name: keys in hex, and an empty one for sessions as they are. */
function placesOf(#[\SensitiveParameter] array $settings, \Closure $make): array
{
    $places = [];
    $ring = new Keyring($settings);
    foreach ($ring->keys as $key) {
        // Plain sessions are tried last, because their id is then in the store for a moment, in the name of the
        // lock.
        $places[$key === null ? '~' : "key {$key->id}"] = new SealedSession($make(), $key, $ring->compression);
    }
    return $places;
}
