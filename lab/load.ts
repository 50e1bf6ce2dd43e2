/** Runs something this many times, this many at a time: the next begins as soon as one has ended. */
export async function runInParallel(
  times: number,
  atATime: number,
  run: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const client = async () => {
    while (next < times) await run(next++)
  }
  await Promise.all(Array.from({ length: atATime }, client))
}
