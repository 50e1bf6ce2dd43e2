/** Three figures, or whole thousands: 0.52, 12.3, 254, 1,090. */
export function renderNumber(value: number): string {
  if (Number.isNaN(value)) return ''
  if (value >= 1000) return renderCount(value)
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** 12,345. */
export function renderCount(number: number): string {
  return Math.round(number).toLocaleString('en')
}

export function renderSeconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : renderCount(value)} s`
}

export function renderShare(value: number): string {
  // What noise makes less than nothing is nothing.
  const percent = Math.max(0, value * 100)
  return `${percent < 10 ? percent.toFixed(1) : renderCount(percent)} %`
}

export function renderKilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`
}

/** Megabytes or gigabytes. */
export function renderBytes(bytes: number): string {
  const [value, unit] = bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB']
  return `${value < 10 ? value.toFixed(1) : renderCount(value)} ${unit}`
}
