import { describe, expect, test } from 'vitest'
import connect from '../../src/php/probes/servers/connect.php'
import greetings from '../../src/php/probes/servers/greetings.php'
import serverName from '../../src/stores/handler/connection/server-name.php'
import tls from '../../src/stores/handler/connection/tls.php'
import { withoutHead } from '../../src/stores/handler/join.ts'
import { PHPS } from '../support/php/php.ts'

describe.each(PHPS)('%s', (_name, { runPhp }) => {
  /** The value of an expression in the PHP that the handler and the probes share. */
  const evaluate = (expression: string) => {
    const code = `${[tls, serverName, connect].map(withoutHead).join('\n')}\necho json_encode(${expression});`
    return JSON.parse(String(runPhp('', code)))
  }

  test('the versions of PHP that hang in TLS 1.3 are known', () => {
    const versions = [80131, 80218, 80219, 80236, 80306, 80307, 80400]
    expect(evaluate(`array_values(array_filter(${JSON.stringify(versions)}, 'hangsInTls13'))`)).toEqual([
      80131, 80218, 80306,
    ])
  })

  test('TLS verifies the server, an IPv6 address without brackets', () => {
    const TLS_1_2 = 33
    const always = {
      verify_peer: true,
      ...(evaluate('hangsInTls13()') === true && { crypto_method: TLS_1_2 }),
    }
    expect(evaluate(`tlsOptions('h', null, null)`)).toEqual(always)
    expect(evaluate(`tlsOptions('::1', '/ca.pem', '/client.pem')`)).toEqual({
      ...always,
      cafile: '/ca.pem',
      local_cert: '/client.pem',
      peer_name: '::1',
    })
  })

  test.each([
    [`'app', 'pw'`, ['app', 'pw']],
    [`null, 'pw'`, 'pw'],
    [`'app', null`, null],
  ])('a login with %s is %j for phpredis', (login, expected) => {
    expect(evaluate(`phpredisLogin(${login})`)).toEqual(expected)
  })

  test('a server that says nothing is silent, whenever the time is over', () => {
    const code = `${withoutHead(greetings)}
      $server = stream_socket_server('tcp://127.0.0.1:0');
      for ($i = 0; $i < 50; $i++) {
          $client = stream_socket_client('tcp://' . stream_socket_get_name($server, false));
          $accepted = stream_socket_accept($server);
          $said[] = readReply($client, 0.02);
      }
      echo json_encode(array_unique($said, SORT_REGULAR));`
    expect(JSON.parse(String(runPhp('', code)))).toEqual([['', true]])
  })

  test.each([
    ['redis.internal', 'redis.internal:6379'],
    ['2001:db8::1', '[2001:db8::1]:6379'],
    ['/run/redis.sock', '/run/redis.sock'],
  ])('the server %s is called %s', (host, expected) => {
    expect(evaluate(`serverName(['host' => '${host}', 'port' => 6379])`)).toBe(expected)
  })
})
