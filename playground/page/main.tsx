import { render } from 'preact'
import type { PageFacts } from '../server/snapshot.ts'
import { App } from './app.tsx'
import { change, showWith } from './view.ts'

const facts: PageFacts = JSON.parse(document.getElementById('facts')?.textContent ?? '{}')
const page = document.getElementById('page')
if (page !== null) showWith((view) => render(<App facts={facts} view={view} />, page))

const events = new EventSource('/events')
events.onmessage = ({ data }) => change({ snapshot: JSON.parse(data), isConnected: true })
// The browser tries again by itself.
events.onerror = () => change({ isConnected: false })
