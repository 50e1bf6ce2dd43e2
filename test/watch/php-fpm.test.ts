import { describe, expect, test } from 'vitest'
import { controlTimeoutSeconds, descendsFrom, findMasters, reload } from '../../src/php/web/php-fpm.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { processStat, processStatus } from '../support/processes.ts'

const PHP_FPM = '/usr/sbin/php-fpm8.2'
const TITLE = 'php-fpm: master process (/etc/fpm.conf)\0\0'
const CONFIGURATION = '[global]\nprocess_control_timeout = 8s\n'

interface Process {
  readonly users?: number | readonly number[]
  readonly title?: string
  readonly exe?: string
  readonly parent?: number
  readonly name?: string
}

/** A machine on which php-sessions is root, with these processes by pid. */
function machine(processes: Readonly<Record<number, Process>>, us = 0) {
  const ran: string[] = []
  const read: string[] = []
  const files = { '/proc/self/status': processStatus(us), [PHP_FPM]: '', '/etc/fpm.conf': CONFIGURATION }
  const host = fakeHost({}, files, ({ file, args }) => {
    ran.push([file, ...args].join(' '))
    return { status: 0, stdout: '' }
  })
  for (const [pid, process] of Object.entries(processes)) {
    const { users = 0, title = TITLE, exe = PHP_FPM, parent = 1, name = 'php-fpm' } = process
    host.files.set(`/proc/${pid}/status`, processStatus(users))
    host.files.set(`/proc/${pid}/stat`, processStat(Number(pid), name, parent))
    host.files.set(`/proc/${pid}/cmdline`, title)
    host.links.set(`/proc/${pid}/exe`, exe)
    host.files.set(exe, '')
  }
  const readBytes = (path: string) => {
    read.push(path)
    return host.readBytes(path)
  }
  return { host: { ...host, readBytes }, ran, read }
}

const pidsOf = (found: ReturnType<typeof findMasters>) => found.map(({ pid }) => pid)

describe('what a worker controls is no master, and no program is run', () => {
  test.each<[string, Process]>([
    ['a process of a worker with the title of a master', { users: 33, exe: '/tmp/php-fpm' }],
    ['the same, with the very program of php-fpm', { users: 33 }],
    ['a program with set-user-ID that a worker has started', { users: [33, 0, 0, 0] }],
    ['the same, with saved numbers of the worker', { users: [0, 0, 33, 0] }],
    ['the same, with the file system user of the worker', { users: [0, 0, 0, 33] }],
    ['a process that has gone', { users: [] }],
  ])('%s', (_name, decoy) => {
    const { host, ran, read } = machine({ 7: {}, 20: decoy })
    expect(pidsOf(findMasters(host))).toEqual([7])
    // Its memory is not even read.
    expect(read).not.toContain('/proc/20/cmdline')
    const master = { pid: 20, startedAt: '100', configuration: '/tmp/evil.conf' }
    expect(controlTimeoutSeconds(host, master)).toBeUndefined()
    expect(ran).toEqual([])
  })

  test('the name of a process cannot fake its parent or its start', () => {
    for (const name of ['a) S 1 1', 'a) S 1\n2 (b) S 1', ') S 1 (']) {
      const { host } = machine({ 20: { name, parent: 5 }, 5: { parent: 2 } })
      expect(descendsFrom(host, 20, 3)).toBe(false)
      expect(descendsFrom(host, 20, 5)).toBe(true)
      expect(findMasters(host)[1]?.startedAt).toBe('100')
    }
  })

  test('where exec has started a php-fpm, no other process is its master, of whatever user', () => {
    const { host } = machine({ 7: {}, 20: {} })
    expect(pidsOf(findMasters(host, 7))).toEqual([7])
    expect(pidsOf(findMasters(host, 8))).toEqual([20, 7])
  })

  test('a command that runs as another user is told, but the files that it names are not read as root', () => {
    const { host, read } = machine({ 7: { users: 33, exe: '/app/php-fpm' } })
    const [master] = findMasters(host, 7)
    expect(master).toMatchObject({ pid: 7, configuration: '/etc/fpm.conf' })
    if (master === undefined) throw new Error('not found')
    expect(reload(host, master)).toBe(true)
    expect(controlTimeoutSeconds(host, master)).toBeUndefined()
    expect(read).not.toContain('/etc/fpm.conf')
  })

  test.each([
    ['8', 8],
    ['8s ; as Cloud Foundry', 8],
    ['2m', 120],
    ['0', 0],
  ])('how long a reload lets requests run is read: %s', (time, seconds) => {
    const { host, ran } = machine({ 7: { exe: '/tmp/php-fpm' } })
    host.files.set('/etc/fpm.conf', `[global]\nprocess_control_timeout = ${time}\n[www]\nuser = x\n`)
    const [master] = findMasters(host)
    if (master === undefined) throw new Error('not found')
    expect(controlTimeoutSeconds(host, master)).toBe(seconds)
    host.files.set('/etc/fpm.conf', '[www]\nuser = x\n')
    expect(controlTimeoutSeconds(host, master)).toBe(0)
    host.files.delete('/etc/fpm.conf')
    expect(controlTimeoutSeconds(host, master)).toBeUndefined()
    expect(ran).toEqual([])
  })

  test('a pid that now belongs to another process is neither signalled nor asked', () => {
    const { host, ran } = machine({ 7: {} })
    const [master] = findMasters(host)
    if (master === undefined) throw new Error('not found')
    expect(controlTimeoutSeconds(host, master)).toBe(8)
    host.files.set('/proc/7/stat', processStat(7, 'php-fpm', 1, 101))
    expect(reload(host, master)).toBe(false)
    expect(controlTimeoutSeconds(host, master)).toBeUndefined()
    expect({ ran, sent: host.sent }).toEqual({ ran: [], sent: [] })
  })
})
