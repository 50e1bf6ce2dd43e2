import { once } from 'node:events'
import { connect } from 'node:net'

const BEGIN = 1
const PARAMS = 4
const STDIN = 5
const STDOUT = 6
/** The role RESPONDER; the connection ends with the request. */
const RESPONDER = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])
const HEADER_BYTES = 8

/** Asks php-fpm on a port of 127.0.0.1 for a script; gives what the script printed, headers first (FastCGI 1.0). */
export async function askFpm(
  port: number,
  script: string,
  cookie = '',
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const params = { SCRIPT_FILENAME: script, REQUEST_METHOD: 'GET', HTTP_COOKIE: cookie, ...more }
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk as Buffer))
  socket.write(
    Buffer.concat([
      record(BEGIN, RESPONDER),
      record(PARAMS, Buffer.concat(Object.entries(params).map(([name, value]) => pair(name, value)))),
      record(PARAMS, Buffer.alloc(0)),
      record(STDIN, Buffer.alloc(0)),
    ]),
  )
  await once(socket, 'close')
  return stdoutOf(Buffer.concat(chunks))
}

/** The first cookie that an answer sets, as the next request sends it. */
export function cookieIn(answer: string): string | undefined {
  return /^Set-Cookie: ([^;\s]+)/m.exec(answer)?.[1]
}

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.from([1, type, 0, 1, 0, 0, 0, 0])
  header.writeUInt16BE(content.length, 4)
  return Buffer.concat([header, content])
}

/** A name and its value, each of at most 127 bytes. */
function pair(name: string, value: string): Buffer {
  return Buffer.from(`${String.fromCharCode(name.length, value.length)}${name}${value}`, 'latin1')
}

function stdoutOf(answer: Buffer): string {
  let text = ''
  for (let at = 0; at + HEADER_BYTES <= answer.length; ) {
    const start = at + HEADER_BYTES
    const end = start + answer.readUInt16BE(at + 4)
    if (answer[at + 1] === STDOUT) text += answer.toString('utf8', start, end)
    at = end + (answer[at + 6] ?? 0)
  }
  return text
}
