/** Runs something that a busy machine or a PHP that crashes can spoil; tells why it failed before it is tried again. */
export async function again<Value>(
  tries: number,
  run: () => Promise<Value>,
  tell: (why: string) => void = () => {},
): Promise<Value> {
  for (let left = tries - 1; left > 0; left--)
    try {
      return await run()
    } catch (error) {
      tell((error as Error).message)
    }
  return run()
}
