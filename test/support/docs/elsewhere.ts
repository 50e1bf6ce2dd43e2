/** Commands on the pages that no test runs as they are written, by their form, and why. */
interface Elsewhere {
  readonly forms: readonly RegExp[]
  readonly why: string
}

const NAME = String.raw`[\w.-]+`
const forms = (...patterns: readonly string[]) => patterns.map((pattern) => new RegExp(`^${pattern}$`))

export const ELSEWHERE: readonly Elsewhere[] = [
  {
    why: 'needs a Cloud Foundry; test/e2e/cloudfoundry stages, starts, runs tasks and opens shells in the lab',
    forms: forms(
      `cf create-service redis some-plan ${NAME}`,
      `cf push ${NAME}( -b php-sessions-buildpack)? -b php_buildpack`,
      `cf (un)?bind-service ${NAME} ${NAME}`,
      `cf restart ${NAME}`,
      `cf restage ${NAME}( --strategy rolling)?`,
      `cf set-env ${NAME} [A-Z_]+ ${NAME}`,
      `cf unset-env ${NAME} [A-Z_]+`,
      `cf run-task ${NAME} --command "php-sessions [^"]+" --name ${NAME}`,
      `cf logs ${NAME} --recent`,
      `cf env ${NAME}`,
      `cf ssh ${NAME}( -t -c "/tmp/lifecycle/shell app php-sessions [^"]+")?`,
      `cf create-buildpack php-sessions-buildpack dist/php-sessions-buildpack-cf-\\*.zip 99`,
      'cf update-user-provided-service',
    ),
  },
  {
    why: 'needs Docker and images from a registry; test/e2e/container runs exec as PID 1, with real php-fpm and Apache',
    forms: forms(
      `docker run( --init| --read-only| --tmpfs \\S+| -[pev] \\S+)*( ${NAME})?`,
      `docker exec( -u \\S+)?( (${NAME}|…)( launcher)? (php-sessions .*|php))?`,
    ),
  },
  {
    why: 'needs a Kubernetes; the doctor in a second process of a container is tested by test/e2e/doctor/container.test.ts',
    forms: forms(`kubectl exec( ${NAME} -- php-sessions .*)?`),
  },
  {
    why: "needs Paketo's images; test/e2e/cnb runs the lifecycle's own programs where Go can build them",
    forms: forms('pack build .*', 'launcher php-sessions doctor'),
  },
  {
    why: 'needs files of sessions where PHP has them, and their user; test/php/copy copies from files',
    forms: forms(
      'sudo -n',
      'sudo -u www-data php-sessions (?:copy|sessions) .*',
      'php-sessions copy --from files',
    ),
  },
  {
    why: 'needs gosu; test/e2e/container/users.test.ts runs it with all programs that change the user',
    forms: forms('php-sessions exec -- gosu www-data php-fpm'),
  },
  {
    why: "writes where this machine's own PHP is; the machines of test/support/doctor/machine.ts do it in a directory of their own",
    forms: forms(
      'export REDIS_URL=redis://:password@redis\\.internal:6379',
      'php-sessions ini --output /(run/php|etc/php/8.2/fpm/conf.d)/00-php-sessions.ini',
      'systemctl restart php8.2-fpm',
    ),
  },
  {
    why: 'called by the start of a Cloud Foundry app: test/e2e/cloudfoundry',
    forms: forms('php-sessions launch'),
  },
  {
    why: 'scripts/test, which CI runs, runs it or is it',
    forms: forms(
      '([A-Z_]+=\\S+ )*scripts/(test|setup|build|package|debian13|apps|extension-tests)( test/.*| FILE)?',
      'npm run check',
      'npx tsc --noEmit',
      'npx vitest run .*',
    ),
  },
  {
    why: 'test/release/version.test.ts runs it in checkouts of its own',
    forms: forms('scripts/version'),
  },
  {
    why: 'fetches from a registry; test/e2e/playground/command.test.ts plays from the npm tarball',
    forms: forms('npx --yes -p node@22 -- scripts/demo', 'npx php-sessions playground( ~/my-app)?'),
  },
  {
    why: 'plays for minutes; test/e2e/playground/command.test.ts plays a scene, with an app, and test/playground all',
    forms: forms(
      'scripts/demo( ~/my-app)?',
      'php-sessions playground( --scenario crash(,cart)?)? --headless',
    ),
  },
  {
    why: 'writes a picture into docs/; test/e2e/playground/page.test.ts plays the same scene in the same browser',
    forms: forms('npx tsx scripts/parts/playground-picture.ts'),
  },
  {
    why: 'measures for minutes, and means nothing on a machine that is busy with tests',
    forms: forms('scripts/bench.*'),
  },
]

/** Why a command is not run, or undefined if that is not said. */
export function whyNot(text: string): string | undefined {
  return ELSEWHERE.find(({ forms }) => forms.some((form) => form.test(text)))?.why
}

/** Whether this only names a command, such as `cf ssh`, of which there is a form. */
export function isNamed(text: string): boolean {
  const start = new RegExp(`^\\^(\\(\\[A-Z_\\].*?\\)\\*)?${text.replaceAll('/', '\\\\?/')}\\b`)
  return ELSEWHERE.some(({ forms }) => forms.some(({ source }) => start.test(source)))
}
