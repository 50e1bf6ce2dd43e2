/** Numbers that are the same for the same seed. */
export interface Random {
  /** From 0, below 1. */
  next(): number
  below(limit: number): number
  /** A time with this mean, as between visitors who do not know of each other. */
  exponential(mean: number): number
}

/** mulberry32: small, and good enough for queues. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    exponential: (mean) => -mean * Math.log(1 - next()),
  }
}
