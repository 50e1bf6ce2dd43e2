/** The exit statuses, as a shell counts them. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
const BROKEN_PIPE = 141

/** Ends this process by a signal. What the lab has started ends with it, and its directories are removed. */
export function endBySignals(): void {
  for (const [signal, status] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(status))
  // Whoever has read the output is gone: `head`, a closed terminal.
  process.stdout.on('error', () => process.exit(BROKEN_PIPE))
  endWithNpm()
}

/** When `npx` gets a SIGTERM, npm ends the shell in which it runs this process, but not this process. */
function endWithNpm(): void {
  if (process.env.npm_command === undefined) return
  const shell = process.ppid
  const look = () => {
    if (process.ppid !== shell) process.exit(SIGNALS.SIGTERM)
  }
  setInterval(look, 500).unref()
}
