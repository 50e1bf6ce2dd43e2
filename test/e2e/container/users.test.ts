import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { askFpm } from '../../../lab/php/fastcgi.ts'
import { machinePhp } from '../../../lab/php/installed.ts'
import { startContained } from '../../../lab/processes/contained.ts'
import { findListener } from '../../../lab/processes/listening.ts'
import { freePorts } from '../../../lab/processes/ports.ts'
import { until } from '../../../lab/processes/until.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { HOSTS } from '../../support/homes/container.ts'
import {
  run,
  SAYS,
  SUPERVISORD,
  whyNoGosu,
  whyNoS6,
  whyNoSupervisor,
  withS6,
  withStore,
} from '../../support/homes/user-changing.ts'

const isRoot = process.getuid?.() === 0
/** Programs that change the user to www-data, before the words of a command. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  'setpriv with a group': ['setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups'],
  'setpriv with all groups': ['setpriv', '--reuid', 'www-data', '--init-groups'],
  'setpriv with a number that nobody has': ['setpriv', '--reuid=1000680000', '--clear-groups'],
  runuser: ['runuser', '-u', 'www-data', '--'],
  ...(whyNoGosu === undefined && {
    gosu: ['gosu', 'www-data'],
    'gosu with a group': ['gosu', 'www-data:daemon'],
  }),
}

describe.skipIf(!isRoot)('an entry point that changes the user', () => {
  test.each(Object.entries(CHANGES))(
    '%s: before and behind exec, directly and in a script',
    (_name, change) => {
      for (const [, program] of HOSTS) {
        const bound = withStore()
        const php = ['php', bound.script]
        const before = run(bound, [...change, ...php], program)
        expect(before.stderr).toContain('php-sessions: sessions are kept in Redis')
        expect(before.stderr).not.toContain('(exec.')
        expect(before.stdout).toMatch(/^redis (33|1000680000)\n$/)

        const entrypoint = join(bound.directory, 'entrypoint')
        writeFileSync(entrypoint, `#!/bin/sh\nset -e\nexec ${change.join(' ')} "$@"\n`, { mode: 0o755 })
        expect(run(bound, [entrypoint, ...php], program).stdout).toMatch(/^redis (33|1000680000)\n$/)

        const [file = '', ...args] = [...change, ...program, 'exec', '--', ...php]
        const options = { env: bound.env, cwd: bound.directory, encoding: 'utf8' } as const
        expect(spawnSync(file, args, options).stdout).toMatch(/^redis (33|1000680000)\n$/)
        expect(bound.left()).toEqual([])
      }
    },
  )

  test('su, before and behind exec', () => {
    const bound = withStore()
    const su = ['su', 'www-data', '-s', '/bin/sh', '-c']
    expect(run(bound, [...su, `exec php '${bound.script}'`])).toMatchObject({
      stdout: 'redis 33\n',
      status: 0,
    })
    const [file = '', ...args] = [...su, `exec '${EXECUTABLE}' exec -- php '${bound.script}'`]
    expect(spawnSync(file, args, { env: bound.env, encoding: 'utf8' }).stdout).toBe('redis 33\n')
    const login = ['su', '-', 'www-data', '-s', '/bin/sh', '-c', `exec php '${bound.script}'`]
    const refused = run(bound, login)
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toContain('(exec.environment)')
    expect(refused.stderr).not.toContain('are kept in Redis')
    // What would have been, as the message says.
    const forgiving = withStore({ PHP_SESSIONS_ON_ERROR: 'files' })
    const files = run(forgiving, [...login.slice(0, -1), `exec php '${forgiving.script}'`])
    expect(files.stdout).toBe('files 33\n')
    expect(files.stderr).toContain('sessions are kept in local files')
  })

  test('nobody else can read the ini then', () => {
    const bound = withStore()
    const other = `setpriv --reuid=54321 --regid=54321 --clear-groups sh -c 'cat "$0"/*; ls "$0"; cat "$0"/00-php-sessions.ini' "$(echo $TMPDIR/php-sessions-*)"`
    const same = `setpriv --reuid=www-data --regid=www-data --clear-groups sh -c 'cd "$0"; cat *.ini; echo >>00-php-sessions.ini; rm -f 00-php-sessions.ini; touch new' "$(echo $TMPDIR/php-sessions-*)"`
    const stranger = run(bound, ['sh', '-c', other, 'sh', 'gosu', 'www-data', 'php'])
    expect(stranger.stderr).toContain('Permission denied')
    expect(stranger.stdout).toBe('')
    const worker = run(bound, ['sh', '-c', same, 'sh', 'gosu', 'www-data', 'php'])
    expect(worker.stdout).toContain('s3cret')
    expect(worker.stderr.match(/Permission denied/g)).toHaveLength(3)
  })

  test('php-fpm that starts as www-data serves pages from Redis, also after a reload', async () => {
    const bound = withStore()
    const [port = 0] = await freePorts(1)
    const conf = join(bound.directory, 'fpm.conf')
    const log = join(bound.directory, 'run')
    mkdirSync(log)
    chmodSync(log, 0o777)
    writeFileSync(
      conf,
      `[global]\nerror_log = ${log}/log\n[www]\nlisten = 127.0.0.1:${port}\npm = static\npm.max_children = 1\n`,
    )
    const fpm = [machinePhp().fpm([]).file, '-F', '-y', conf]
    const args = ['exec', '--', ...(CHANGES['setpriv with a group'] ?? []), ...fpm]
    const started = startContained({ file: EXECUTABLE, args, env: bound.env, cwd: bound.directory })
    await until('php-fpm to listen', () => findListener(port, started.processes) === 'own')
    expect(await askFpm(port, bound.script)).toMatch(/redis 33\s*$/)
    process.kill(started.pid, 'SIGUSR2')
    await until(
      'the reload',
      () =>
        started.hasExited() ||
        spawnSync('grep', ['-c', 'ready to handle', `${log}/log`], { encoding: 'utf8' }).stdout.trim() ===
          '2',
    )
    expect(await askFpm(port, bound.script)).toMatch(/redis 33\s*$/)
    process.kill(started.pid, 'SIGTERM')
    expect(await started.exited).toBe(0)
    expect(bound.left()).toEqual([])
  })
})

describe.skipIf(!isRoot)('what cannot be known before is said while it runs', () => {
  test.each(HOSTS)(
    'a PHP that another user runs, or that has another environment: %s',
    async (_name, [file, ...before]) => {
      for (const [script, expected] of [
        [
          'C=setpriv; $C --reuid=www-data --regid=www-data --clear-groups "$@"',
          /^! php runs as www-data, who cannot read the settings: .*\(exec.user\)$/m,
        ],
        [
          'Q=-i; env $Q PATH="$PATH" "$@"',
          /^! php was started without PHP_INI_SCAN_DIR: .*\(exec.environment\)$/m,
        ],
      ] as const) {
        const bound = withStore()
        const entrypoint = join(bound.directory, 'entrypoint')
        writeFileSync(entrypoint, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
        writeFileSync(bound.script, `<?php ${SAYS} sleep(30);`)
        const args = [...before, 'exec', '--', entrypoint, 'php', bound.script]
        const started = startContained({ file, args, env: bound.env, cwd: bound.directory })
        await until('the warning', () => started.hasExited() || started.stderr().includes('(exec.'))
        expect(started.stderr()).toMatch(expected)
        expect(started.stdout()).toMatch(/^files /)
        process.kill(started.pid, 'SIGTERM')
        await started.exited
      }
    },
  )

  test('workers of a server, PHP that these start, and the doctor of the watcher are no case', async () => {
    const bound = withStore()
    writeFileSync(
      bound.script,
      `<?php ${SAYS} passthru('env -i setpriv --reuid=33 --clear-groups php -r "sleep(4);"');`,
    )
    const args = ['exec', '--watch', '--', 'php', bound.script]
    const started = startContained({ file: EXECUTABLE, args, env: bound.env, cwd: bound.directory })
    expect(await started.exited).toBe(0)
    expect(started.stderr()).not.toContain('(exec.')
  })
})

describe.skipIf(!isRoot)('a supervisor', () => {
  test.skipIf(whyNoSupervisor !== undefined)(
    'supervisord starts PHP as the user of its configuration',
    async () => {
      const bound = withStore()
      const conf = join(bound.directory, 'supervisord.conf')
      const says = join(bound.directory, 'tmp/said')
      writeFileSync(
        conf,
        `[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${bound.directory}/pid\n[program:php]\ncommand=sh -c "php ${bound.script} >${says}; exec sleep 60"\nuser=www-data\n`,
      )
      const args = ['exec', '--', ...SUPERVISORD, '-c', conf]
      const started = startContained({ file: EXECUTABLE, args, env: bound.env, cwd: bound.directory })
      const read = () => spawnSync('cat', [says], { encoding: 'utf8' }).stdout
      await until('PHP to speak', () => started.hasExited() || read().endsWith('\n'))
      expect(read()).toBe('redis 33\n')
      process.kill(started.pid, 'SIGTERM')
      await started.exited
      expect(bound.left()).toEqual([])
    },
  )

  test.skipIf(whyNoS6 !== undefined)('s6 starts PHP as the user in its run script', async () => {
    const bound = withStore()
    const service = join(bound.directory, 'services/php')
    const says = join(bound.directory, 'tmp/said')
    mkdirSync(service, { recursive: true })
    const run = `#!/bin/sh\nexec s6-setuidgid www-data sh -c 'php ${bound.script} >${says}; exec sleep 60'\n`
    writeFileSync(join(service, 'run'), run, { mode: 0o755 })
    const args = withS6([EXECUTABLE, 'exec', '--', 's6-svscan', join(bound.directory, 'services')])
    const started = startContained({ file: 'unshare', args, env: bound.env, cwd: bound.directory })
    const read = () => spawnSync('cat', [says], { encoding: 'utf8' }).stdout
    await until('PHP to speak', () => started.hasExited() || read().endsWith('\n'))
    expect(read()).toBe('redis 33\n')
    process.kill(started.pid, 'SIGTERM')
    expect(await started.exited).toBe(0)
    expect(bound.left()).toEqual([])
  })

  test.skipIf(whyNoS6 !== undefined)('s6-setuidgid, before and behind exec', () => {
    const bound = withStore()
    const change = ['s6-setuidgid', 'www-data']
    const php = ['php', bound.script]
    const exec = [EXECUTABLE, 'exec', '--']
    for (const words of [
      [...exec, ...change, ...php],
      [...change, ...exec, ...php],
    ]) {
      const done = spawnSync('unshare', withS6(words), {
        env: bound.env,
        cwd: bound.directory,
        encoding: 'utf8',
      })
      expect(done.stdout).toBe('redis 33\n')
      expect(bound.left()).toEqual([])
    }
  })
})

test('the reason why a program is not tried', ({ skip }) => {
  if (!isRoot) skip('only root can change the user')
  const reasons = [whyNoGosu, whyNoS6, whyNoSupervisor].filter((why) => why !== undefined)
  if (reasons.length > 0) skip(reasons.join('; '))
})
