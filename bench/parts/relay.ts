import { connect, createServer } from 'node:net'

// A network with latency, as a program: `relay.ts MILLISECONDS LISTEN:TARGET...`, ports of 127.0.0.1.
//
// It forwards requests at once, and answers later by that time and in order. A client that waits for each answer sees a
// round trip that is longer by that time, wherever on the way the time is spent. Connecting is not delayed.

const [delay, ...pairs] = process.argv.slice(2)
for (const pair of pairs) {
  const [listen = 0, target = 0] = pair.split(':').map(Number)
  createServer({ noDelay: true }, (client) => {
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.on('data', (chunk) => server.write(chunk))
    server.on('data', (chunk) => setTimeout(() => client.write(chunk), Number(delay)))
    client.on('close', () => server.destroy()).on('error', () => {})
    server.on('close', () => setTimeout(() => client.destroy(), Number(delay))).on('error', () => {})
  }).listen(listen, '127.0.0.1')
}
