<?php
// Keeps a session of its own in the store that had the sessions before, as the managed handler in the app's pages does.

$failure = null;
try {
    require $question['prependFile'];
    $id = bin2hex(random_bytes(16));
    PhpSessions\Warnings::quietly(function () use ($id): void {
        $session = PhpSessions\previousSession();
        $session->take($id);
        $session->release('set', 'doctor|i:1;');
        $isBound = PhpSessions\openSessions()->stored($id) !== [false, false];
        $session->take($id);
        $session->release('delete');
        if ($isBound) {
            throw new RuntimeException('it is the store that keeps the sessions now, under another name');
        }
    });
} catch (Throwable $error) {
    $failure = $error->getMessage();
}
answer(['failure' => $failure]);
