/** 12,345. */
export function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}

/** Microseconds, of which three figures are meant at most. */
export function micro(number: number): string {
  return count(number < 1000 ? number : Math.round(number / 10) * 10)
}

export function milli(value: number | undefined): string {
  return `${((value ?? Number.NaN) * 1000).toFixed(1)} ms`
}

export function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} s` : `${count(value)} s`
}

export function part(value: number): string {
  // What noise makes less than nothing is nothing.
  const percent = Math.max(0, value * 100)
  return `${percent < 10 ? percent.toFixed(1) : count(percent)} %`
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`
}

export function gigabytes(bytes: number): string {
  if (bytes < 1e9) return `${bytes < 1e7 ? (bytes / 1e6).toFixed(1) : count(bytes / 1e6)} MB`
  return `${bytes < 1e10 ? (bytes / 1e9).toFixed(1) : count(bytes / 1e9)} GB`
}
