<?php

namespace PhpSessions;

/**
 * One session of a store. This request has it from `take`, which locks it, to `release`. What cannot be done is a StoreFailed.
 *
 * Nothing is read or connected before the first `take`.
 */
interface LockedSession
{
    /** Whether the store can keep a session with this id, which does not reach another key. */
    public function accepts(#[\SensitiveParameter] string $id): bool;

    /**
     * Waits for the lock and reads the session. Returns false, without the lock, where it must exist and does not. One whose id
     * was just made is new: there is none.
     */
    public function take(#[\SensitiveParameter] string $id, bool $mustExist = false, bool $isNew = false): bool;

    /** The session as it was read, or set since; false where there is none. */
    public function data(): string|false;

    /** Whether this request has the lock. */
    public function holds(): bool;

    /** What was noted beside the session; null if nothing was. */
    public function note(): ?string;

    /** Whether `copy` has written this note of the session as it was read: of the bytes in the store, with the name there. */
    public function isCopied(string $note): bool;

    /**
     * Releases the lock, in the same step with what becomes of the session: `set` writes these data, `touch` makes the data that
     * were read live longer, `delete`, `keep` makes an empty session where there is none, `nothing`. Without the lock it does
     * nothing. A note is kept beside the session, and lives as long; `delete` with any note removes the one that is there.
     */
    public function release(string $what, #[\SensitiveParameter] string $data = '', ?string $note = null): void;

    /**
     * Gives up the session without a command: after a failure, or in a child whose parent has the lock and the
     * connection.
     */
    public function forget(): void;

    /** Releases the lock after a fatal error inside a step: the lock may be taken, and a reply be unread. */
    public function recover(): void;

    /** What a page gets that has no session: `stop` for status 503, `empty` for an empty session. */
    public function onStoreError(): string;
}
