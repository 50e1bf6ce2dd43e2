import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { playgroundFile } from '../engine/buildpack.ts'
import { LANE_WORDS } from '../engine/lane-words.ts'
import { WAYS } from '../engine/ways.ts'
import { SCENES } from '../scenes/scenes.ts'
import type { PageFacts } from './snapshot.ts'

export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** Makes the page: one file, whose only script and style are named by their hashes. */
export function makePage(hasGiven: boolean): Page {
  const script = readFileSync(playgroundFile('page/main.js'), 'utf8')
  const style = readFileSync(playgroundFile('page/page.css'), 'utf8')
  const facts: PageFacts = {
    scenes: SCENES.map(({ id, title, about }) => ({ id, title, about })),
    lanes: LANE_WORDS.filter((word) => hasGiven || !word.endsWith(':given')).map((word) => ({
      word,
      title: titleOf(word),
    })),
  }
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>php-sessions playground</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<body>
<div id="page"></div>
<script type="application/json" id="facts">${JSON.stringify(facts).replaceAll('<', '\\u003c')}</script>
<script>${script}</script>
</html>
`
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    },
  }
}

function titleOf(word: string): string {
  const [way = '', store] = word.split(':')
  const title = Object.entries(WAYS).find(([name]) => name === way)?.[1].title ?? way
  return store === undefined ? title : `${title}, ${store}`
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
