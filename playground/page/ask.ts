import type { Control } from '../server/snapshot.ts'

/** Gives the number of the snapshot that shows what was asked for, or why it was refused. */
export async function postControl(
  asked: Control,
): Promise<{ readonly number: number; readonly refusal: string | undefined }> {
  const { isDone, said } = await post('/control', asked)
  return isDone ? { number: Number(said), refusal: undefined } : { number: 0, refusal: said }
}

/** What a command of php-sessions says in a lane. */
export async function askLane(lane: string, command: 'explain' | 'doctor'): Promise<string> {
  return (await post('/ask', { lane, command })).said
}

async function post(
  path: string,
  body: object,
): Promise<{ readonly isDone: boolean; readonly said: string }> {
  try {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { isDone: answer.ok, said: await answer.text() }
  } catch {
    return { isDone: false, said: 'The playground does not answer.' }
  }
}
