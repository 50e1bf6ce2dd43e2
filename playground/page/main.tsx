import { render } from 'preact'
import type { PageFacts, Snapshot } from '../server/snapshot.ts'
import { App } from './app.tsx'

const facts: PageFacts = JSON.parse(document.getElementById('facts')?.textContent ?? '{}')
const page = document.getElementById('page')

let snapshot: Snapshot | undefined
let isConnected = false

function show(): void {
  if (page !== null) render(<App facts={facts} snapshot={snapshot} isConnected={isConnected} />, page)
}

const events = new EventSource('/events')
events.onmessage = ({ data }) => {
  snapshot = JSON.parse(data)
  isConnected = true
  show()
}
// The browser tries again by itself.
events.onerror = () => {
  isConnected = false
  show()
}
show()
