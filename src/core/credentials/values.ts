import type { Json } from '../binding.ts'
import { words } from '../text.ts'

/** Brokers write null, an empty string or an empty list for fields that a plan does not have. */
export function isAbsent(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

const OFF = ['', ...words('0 false no off none null disable disabled')]

/** Whether a value switches something on. */
export function isSwitchedOn(value: Json): boolean {
  return typeof value === 'string' ? !OFF.includes(value.trim().toLowerCase()) : Boolean(value)
}
