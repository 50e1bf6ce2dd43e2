import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { redisService, vcapServices } from '../../lab/bindings.ts'
import { commands, renderCommandHelp, renderHelp, renderOptionsHelp } from '../../src/cli/commands.ts'
import { main } from '../../src/cli/main.ts'
import { VERSION } from '../../src/core/version.ts'
import { HostError } from '../../src/host/host.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const run = (...args: string[]) => {
  const host = fakeHost()
  return { status: main(host, args), ...host.output }
}

test('the version is that of package.json', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8')).version).toBe(VERSION)
  expect(run('--version')).toEqual({ status: 0, out: `${VERSION}\n`, err: '' })
})

test('help fits 80 columns', () => {
  const texts = [renderHelp(), renderOptionsHelp(), ...commands.map(renderCommandHelp)]
  expect(texts).toMatchSnapshot()
  for (const line of texts.join('\n').split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

test('help is found in every usual way', () => {
  for (const args of [[], ['--help'], ['-h'], ['help']])
    expect(run(...args)).toMatchObject({ status: 0, out: renderHelp() })
  const help = run('help', 'ini').out
  expect(run('ini', '--help').out).toBe(help)
  expect(help).toContain('--output FILE')
})

test.each([
  ['lunch'],
  ['version'],
  ['--license'],
  ['ini', '--outptu', 'x'],
  ['ini', '--output'],
  ['ini', '--php-version', 'new'],
  ['ini', 'extra'],
  ['supply', '/build'],
  ['launch', '--fast'],
  ['playground', 'app', 'other'],
])('wrong usage: %s %s', (...args) => {
  expect(run(...args)).toMatchSnapshot()
  expect(run(...args).status).toBe(2)
})

test('where the playground is not, it says where it is', () => {
  expect(run('playground')).toEqual({
    status: 2,
    out: '',
    err: 'the playground is in the npm package: run npx php-sessions playground, with Node.js\n',
  })
})

test('ini prints nothing but a comment when nothing is bound', () => {
  expect(run('ini').out).toMatch(/^; [^\n]*no settings, because[^\n]*\n$/)
})

test('a file that cannot be written is one message with status 1', () => {
  const host = {
    ...fakeHost({ VCAP_SERVICES: vcapServices(redisService) }),
    writeFile: () => {
      throw new HostError('cannot write /run/x.ini: the file system is read-only')
    },
  }
  expect({ status: main(host, ['ini', '--output', '/run/x.ini']), ...host.output }).toMatchSnapshot()
})

test('a fault of the tool is one line without a stack trace, with status 70', () => {
  const host = {
    ...fakeHost(),
    readFile: () => {
      throw new TypeError('x is\nnot a function')
    },
  }
  expect({ status: main(host, ['ini']), ...host.output }).toMatchSnapshot()
})
