import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { machinePhp } from '../../../lab/php/installed.ts'
import { HOSTS } from '../../support/homes/container.ts'
import { withBindings } from '../../support/homes/container-bindings.ts'
import { KEY, MANAGED, PEM } from '../../support/homes/large-bindings.ts'

/** Prints for a user, and each file of exec, whether it can be read and written, and what the directory allows. */
const TRY = `
  cd $TMPDIR/php-sessions-*/ || exit
  for file in 00-php-sessions.ini php-sessions-*; do
    r=-; w=-
    cat $file >/dev/null 2>&1 && r=r
    (: >>$file) 2>/dev/null && w=w
    echo "$file $r$w"
  done
  ls >/dev/null 2>&1 && echo listed
  (: >new) 2>/dev/null && echo made
  rm -f php-sessions-store.php 2>/dev/null; [ -e php-sessions-store.php ] || echo removed`

/** The names come from root: nobody else can list them. */
const AS = (who: string, option: string, names: readonly string[]) =>
  `setpriv ${option} --clear-groups sh -c '${TRY.replaceAll('00-php-sessions.ini php-sessions-*', names.join(' ')).replaceAll('$TMPDIR/php-sessions-*/', '"$0"')}' "$(echo $TMPDIR/php-sessions-*)" | sed 's/^/${who} /'`

test.skipIf(process.getuid?.() !== 0).each(HOSTS)(
  'a worker reads what it needs and writes only what nobody runs, and a stranger reads no secret: %s',
  (_name, [program, ...before]) => {
    const bound = withBindings({
      ...{ host: '', port: '', 'cluster.nodes': '127.0.0.1:1', tls: 'true' },
      ...{ 'tls.crt': PEM, 'tls.key': KEY, 'ca.crt': PEM },
    })
    const names = ['00-php-sessions.ini', 'php-sessions-ca.pem', 'php-sessions-client.pem', ...MANAGED]
    const script = [
      AS('worker', '--reuid=www-data --regid=www-data', names),
      AS('stranger', '--reuid=54321 --regid=54321', names),
    ].join('\n')
    const env = { ...bound.env, PHP_SESSIONS_HANDLER: 'managed' }
    // In a file: exec looks for programs that change the user in the words of its command.
    const path = join(bound.directory, 'script')
    writeFileSync(path, `umask 077; ${script}`)
    const args = [...before, 'exec', '--', 'sh', path, machinePhp().fpm([]).file]
    const done = spawnSync('bash', ['-c', 'umask 077; exec "$@"', 'bash', program, ...args], {
      env,
      cwd: bound.directory,
      encoding: 'utf8',
    })
    expect(done.stdout.trimEnd().split('\n')).toEqual([
      'worker 00-php-sessions.ini --',
      'worker php-sessions-ca.pem r-',
      'worker php-sessions-client.pem r-',
      'worker php-sessions-handler.php r-',
      'worker php-sessions-store.php r-',
      'worker php-sessions-state.json rw',
      'stranger 00-php-sessions.ini --',
      'stranger php-sessions-ca.pem r-',
      'stranger php-sessions-client.pem --',
      'stranger php-sessions-handler.php r-',
      'stranger php-sessions-store.php --',
      'stranger php-sessions-state.json --',
    ])
    expect(bound.left()).toEqual([])
  },
)
