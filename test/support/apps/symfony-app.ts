/**
 * The front controller of Symfony's skeleton; Debian's packages load the classes from the include path. Composer's own
 * class, which Symfony 6 asks for, is with every app that Composer has installed.
 */
const INDEX = `<?php
require 'Composer/InstalledVersions.php';
require 'Symfony/Bundle/FrameworkBundle/autoload.php';
require dirname(__DIR__) . '/src/Kernel.php';
$kernel = new App\\Kernel('prod', false);
$request = Symfony\\Component\\HttpFoundation\\Request::createFromGlobals();
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
`

/** Its `framework.session` is that of Symfony's recipe, with the handler that PHP is configured with. */
const KERNEL = `<?php
namespace App;

use Symfony\\Bundle\\FrameworkBundle\\FrameworkBundle;
use Symfony\\Bundle\\FrameworkBundle\\Kernel\\MicroKernelTrait;
use Symfony\\Component\\DependencyInjection\\Loader\\Configurator\\ContainerConfigurator;
use Symfony\\Component\\HttpFoundation\\RedirectResponse;
use Symfony\\Component\\HttpFoundation\\Request;
use Symfony\\Component\\HttpFoundation\\Response;
use Symfony\\Component\\HttpKernel\\Kernel as BaseKernel;
use Symfony\\Component\\Routing\\Loader\\Configurator\\RoutingConfigurator;

final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle()];
    }

    private function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', [
            'secret' => 'not one',
            'http_method_override' => false,
            'session' => [
                'handler_id' => null,
                'cookie_secure' => 'auto',
                'cookie_samesite' => 'lax',
                'storage_factory_id' => 'session.storage.factory.native',
            ],
            'php_errors' => ['log' => true],
        ]);
    }

    private function configureRoutes(RoutingConfigurator $routes): void
    {
        foreach (['count', 'login', 'notify', 'account', 'logout'] as $page) {
            $routes->add($page, "/$page")->controller("kernel::$page");
        }
    }

    public function count(Request $request): Response
    {
        $session = $request->getSession();
        $session->set('count', $session->get('count', 0) + 1);
        usleep(20_000);
        return new Response((string) $session->get('count'));
    }

    public function login(Request $request): Response
    {
        $session = $request->getSession();
        if (!$request->isMethod('POST')) {
            $session->set('token', bin2hex(random_bytes(16)));
            return new Response('<form action="/login" method="post"><input name="user">'
                . '<input type="hidden" name="token" value="' . $session->get('token') . '"></form>');
        }
        if ($request->request->get('token') !== $session->get('token')) {
            return new Response('wrong token', 403);
        }
        $session->migrate(true);
        $session->set('user', $request->request->get('user'));
        return new RedirectResponse('/account');
    }

    public function notify(Request $request): Response
    {
        $request->getSession()->getFlashBag()->add('notice', 'changed');
        return new RedirectResponse('/account');
    }

    public function account(Request $request): Response
    {
        $session = $request->getSession();
        if (!$session->has('user')) {
            return new RedirectResponse('/login');
        }
        return new Response("{$session->get('user')}: " . implode(',', $session->getFlashBag()->get('notice')));
    }

    public function logout(Request $request): Response
    {
        $request->getSession()->invalidate();
        return new RedirectResponse('/account');
    }
}
`

const OWN_HANDLER = `
final class Wrapped extends \\SessionHandler
{
}
`

/** A Symfony application as small as the framework allows; it writes to its folder `var`. */
export const SYMFONY_APP = {
  'composer.json': '{}',
  'src/Kernel.php': KERNEL,
  'public/index.php': INDEX,
}

/** The same application with a handler of its own, which extends PHP's. */
export const SYMFONY_APP_WITH_HANDLER = {
  ...SYMFONY_APP,
  'src/Kernel.php': `${KERNEL.replace("'handler_id' => null", "'handler_id' => Wrapped::class").replace(
    "$container->extension('framework'",
    `$container->services()->set(Wrapped::class);
        $container->extension('framework'`,
  )}${OWN_HANDLER}`,
}
