<?php
// Keeps a session of its own in the store that had the sessions before, as the managed handler in the app's pages does.

$failure = null;
try {
    require $question['prependFile'];
    $id = bin2hex(random_bytes(16));
    PhpSessions\Warnings::quietly(function () use ($id): void {
        $session = PhpSessions\previousSession();
        foreach (['set', 'delete'] as $step) {
            $session->take($id);
            $session->release($step, 'doctor|i:1;');
        }
    });
} catch (Throwable $error) {
    $failure = $error->getMessage();
}
answer(['failure' => $failure]);
