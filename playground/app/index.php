<?php
// The sample app: a login, a cart and a counter, which are kept in the session only.
declare(strict_types=1);

session_start();

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    match ($_POST['action'] ?? '') {
        'login' => login((string) ($_POST['name'] ?? '')),
        'add' => $_SESSION['cart'][] = (string) ($_POST['item'] ?? ''),
        'logout' => session_destroy(),
        default => http_response_code(400),
    };
    header('Location: ' . strtok($_SERVER['REQUEST_URI'], '?'), true, 303);
    exit;
}

function login(string $name): void
{
    session_regenerate_id(true);
    $_SESSION['user'] = $name;
}

function h(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
}

$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
$user = $_SESSION['user'] ?? null;
$cart = $_SESSION['cart'] ?? [];
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A small shop</title>
<style>
    body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 3rem auto; padding: 0 1rem }
    output { font-weight: 600 }
    form { display: inline }
    footer { margin-top: 2rem; color: #666; font-size: .9rem }
</style>
<h1>A small shop</h1>
<p>You are <output id="user"><?= $user === null ? 'not logged in' : h($user) ?></output>,
   this is your visit <output id="visits"><?= $_SESSION['visits'] ?></output>,
   and your cart holds <output id="cart"><?= $cart === [] ? 'nothing' : h(implode(', ', $cart)) ?></output>.</p>
<?php if ($user === null): ?>
<form method="post"><input type="hidden" name="action" value="login">
    <label>Name <input name="name" required></label> <button>Log in</button></form>
<?php else: ?>
<form method="post"><input type="hidden" name="action" value="add">
    <label>Item <input name="item" required></label> <button>Add to cart</button></form>
<form method="post"><input type="hidden" name="action" value="logout"><button>Log out</button></form>
<?php endif ?>
<footer>Served by instance <?= h((string) getenv('CF_INSTANCE_INDEX')) ?>,
    session kept by <?= h((string) ini_get('session.save_handler')) ?></footer>
</html>
