import type { Control } from '../server/snapshot.ts'

export async function control(asked: Control): Promise<void> {
  await post('/control', asked)
}

/** What a command of php-sessions says in a lane. */
export async function askLane(lane: string, command: 'explain' | 'doctor'): Promise<string> {
  return (await post('/ask', { lane, command })).text()
}

function post(path: string, body: object): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
