<?php
// The page that the playground's visitors click on. It is added to a copy of the app, beside the app's own pages, and
// uses the session as the app itself would: with PHP's own functions, and with this app's settings.
declare(strict_types=1);

$began = hrtime(true);
$opened = session_start();
$waited = (hrtime(true) - $began) / 1e6;

$do = (string) ($_GET['do'] ?? 'look');
if ($do === 'login') {
    session_regenerate_id(true);
    $_SESSION['user'] = (string) ($_GET['visitor'] ?? '');
}
if ($do === 'add') {
    $cart = $_SESSION['cart'] ?? [];
    usleep(20_000); // a page has something to do between reading its session and writing it
    $_SESSION['cart'] = array_slice([...$cart, 'a book'], -99);
}
if ($do === 'slow') {
    usleep((int) (1e6 * min(30, (float) ($_GET['seconds'] ?? 3))));
}
if ($do !== 'look') {
    $_SESSION['updates'] = ($_SESSION['updates'] ?? 0) + 1;
}

// No session is shown, so nobody can take one over: two different sessions have different marks.
$mark = substr(hash('sha256', (string) session_id()), 0, 8);
$closed = session_write_close();
header('Content-Type: application/json');
echo json_encode([
    'opened' => $opened && $closed,
    'user' => $_SESSION['user'] ?? null,
    'updates' => $_SESSION['updates'] ?? 0,
    'books' => count($_SESSION['cart'] ?? []),
    'session' => $mark,
    'waited' => round($waited, 1),
    'handler' => ini_get('session.save_handler'),
], JSON_THROW_ON_ERROR);
