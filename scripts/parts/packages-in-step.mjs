// Exits with 0 if node_modules is what package-lock.json asks for. It is plain JavaScript, because it runs before any
// package is there.
import { readFileSync } from 'node:fs'

try {
  const wanted = packages('package-lock.json')
  const present = packages('node_modules/.package-lock.json')
  const inStep = Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (present[path]?.version ?? (optional && version)) === version,
  )
  process.exitCode = inStep && Object.keys(present).every((path) => path in wanted) ? 0 : 1
} catch {
  process.exitCode = 1
}

function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}
