import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeScratch } from './processes/scratch.ts'

/**
 * Writes the files of an app, or of a buildpack, into a new directory, which is removed when Node ends; gives the
 * directory. Files that start with `#!` become executable.
 */
export function makeApp(files: Readonly<Record<string, string>>): string {
  const directory = makeScratch('app')
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  return directory
}

/** A page that counts one visitor's visits in the session. */
export const COUNTER_PAGE = `<?php
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
header('Content-Type: text/plain');
echo $_SESSION['visits'];
`
