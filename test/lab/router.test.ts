import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { startRouter } from '../../lab/web/router.ts'
import { makeVisitor } from '../../lab/web/visitor.ts'

test('visitors without a session go from instance to instance', async () => {
  const { visitor } = await routeTo(['', '', ''])
  const served = [
    await visitor.get('/'),
    await visitor.get('/'),
    await visitor.get('/'),
    await visitor.get('/'),
  ]
  expect(served.map(({ servedBy }) => servedBy)).toEqual([0, 1, 2, 0])
})

test('a cookie JSESSIONID ties a visitor to an instance', async () => {
  const { visitor } = await routeTo(['JSESSIONID=a', 'JSESSIONID=b'])
  expect((await visitor.get('/')).servedBy).toBe(0)
  expect(visitor.cookies.get('__VCAP_ID__')).toBe('id-0')
  expect((await visitor.get('/')).servedBy).toBe(0)
  expect((await visitor.get('/')).servedBy).toBe(0)
})

test('a cookie of another name ties no visitor to an instance', async () => {
  const { visitor } = await routeTo(['PHPSESSIONID=a', 'PHPSESSIONID=b'])
  expect((await visitor.get('/')).servedBy).toBe(0)
  expect(visitor.cookies.has('__VCAP_ID__')).toBe(false)
  expect((await visitor.get('/')).servedBy).toBe(1)
})

test('a visitor whose instance is gone gets another one and stays there', async () => {
  const { visitor, router, servers } = await routeTo(['JSESSIONID=a', 'JSESSIONID=b'])
  await visitor.get('/')
  servers[0]?.close()
  expect((await visitor.get('/')).servedBy).toBe(1)
  expect(router.backends().map(({ index }) => index)).toEqual([1])
  expect(visitor.cookies.get('__VCAP_ID__')).toBe('id-1')
  router.remove('id-1')
  expect((await visitor.get('/')).status).toBe(404)
})

test('forms and cookies reach the instance, and its headers reach the visitor', async () => {
  const { visitor } = await routeTo(['JSESSIONID=a'])
  await visitor.get('/')
  const answer = await visitor.post('/in?x=1', { name: 'a&b' })
  expect(answer.body).toBe('POST /in?x=1 JSESSIONID=a; __VCAP_ID__=id-0 name=a%26b')
  expect(answer.headers['x-from']).toBe('instance 0')
})

async function routeTo(cookies: readonly string[]) {
  const router = await startRouter()
  onTestFinished(router.stop)
  const servers = await Promise.all(cookies.map((cookie, index) => startBackend(index, cookie)))
  for (const [index, server] of servers.entries()) {
    onTestFinished(() => void server.close())
    router.add({ id: `id-${index}`, index, port: (server.address() as { port: number }).port })
  }
  return { router, servers, visitor: makeVisitor(router.url) }
}

async function startBackend(index: number, cookie: string) {
  const server = createServer(async (request, response) => {
    if (cookie !== '') response.setHeader('Set-Cookie', `${cookie}; path=/`)
    response.setHeader('X-From', `instance ${index}`)
    response.end(`${request.method} ${request.url} ${request.headers.cookie} ${await text(request)}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
