import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

/** Plot draws into a document of its own: no browser is needed. */
const { document } = parseHTML('<!doctype html><html><body></body></html>')

/** Colours that can be told apart by everybody, on white and on black (Okabe and Ito), by what they stand for. */
export const COLOURS: Readonly<Record<string, string>> = {
  managed: '#0a84d0',
  native: '#d55e00',
  "the peers' ini": '#b8860b',
  'php-redis-session-abstract': '#b0569a',
  files: '#7d8590',
  'in one file': '#0a84d0',
  'a directory each': '#d55e00',
}

export interface Drawing {
  readonly title: string
  /** Lines below the plot: what n is, what the marks mean, when and on what it was measured. */
  readonly notes: readonly string[]
  /** Contenders that have no label in the plot; a line below the title names them. */
  readonly legend?: readonly string[]
  readonly plot: Plot.PlotOptions
}

const [TITLE_HEIGHT, LINE_HEIGHT, LEGEND_STEP, WIDTH] = [34, 17, 130, 820]

/** Light and dark, as the reader's system is; the paper is drawn, since an image knows no page around it. */
const STYLE = `svg { color: #1f2328; font: 13px system-ui, sans-serif }
.paper { fill: #ffffff }
.note { font-size: 12px; fill: currentColor; opacity: .8 }
.title { font-size: 15px; font-weight: 600; fill: currentColor }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3 } .paper { fill: #0d1117 } }`

/** An SVG file. */
export function draw({ title, notes, legend = [], plot }: Drawing): string {
  const options = {
    width: WIDTH,
    marginBottom: 50,
    ...plot,
    style: { fontSize: '13px' },
    document: document as never,
  }
  const drawn = Plot.plot(options) as unknown as {
    readonly outerHTML: string
    getAttribute(name: string): string
  }
  const height = Number(drawn.getAttribute('height'))
  const top = TITLE_HEIGHT + (legend.length > 0 ? LINE_HEIGHT : 0)
  const whole = top + height + LINE_HEIGHT * notes.length + 10
  const text = (y: number, kind: string, words: string) =>
    `<text x="16" y="${y}" class="${kind}">${escapeXml(words)}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${whole}" width="${WIDTH}" height="${whole}" role="img" aria-label="${escapeXml(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    text(22, 'title', title),
    ...legend.map((name, i) => {
      const x = 22 + LEGEND_STEP * i
      return `<circle cx="${x}" cy="40" r="5" fill="${COLOURS[name]}"/><text x="${x + 10}" y="45" class="note">${name}</text>`
    }),
    // Plot's own style is for pages.
    drawn.outerHTML.replace('<svg', `<svg x="0" y="${top}"`).replace(/<style>[\s\S]*?<\/style>/, ''),
    ...notes.map((note, i) => text(top + height + LINE_HEIGHT * (i + 1), 'note', note)),
    '</svg>\n',
  ].join('\n')
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** What a plot without results says. */
export function drawNothing(title: string, command: string): string {
  return draw({
    title,
    notes: [`Not measured yet: ${command}`],
    plot: { height: 20, axis: null, marks: [Plot.text([''])] },
  })
}
