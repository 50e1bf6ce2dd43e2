/** Texts of files below /proc, as the kernel writes them. */

/** With SIGUSR2 among the signals that the process handles, unless `caught` says otherwise. */
export function processStatus(users: number | readonly number[], caught = '0000000000014a07'): string {
  const all = typeof users === 'number' ? [users, users, users, users] : users
  return `Name:\tphp-fpm\nUid:\t${all.join('\t')}\nSigBlk:\t0000000000000000\nSigCgt:\t${caught}\n`
}

export function processStat(pid: number, name: string, parent: number, startedAt = 100): string {
  return `${pid} (${name}) S ${parent}${' 0'.repeat(17)} ${startedAt} 0 0\n`
}
