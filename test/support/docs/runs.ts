/** How a command of the pages is run by test/e2e/documented-commands.test.ts. */
export interface Run {
  /** The exit status that is promised; 0 when absent. */
  readonly status?: number
  /** What the output has, stderr included. */
  readonly says: RegExp
  /** What somebody types into the terminal in which it runs. */
  readonly types?: string
  /** It runs until it is told to end, which it is when it has said this. */
  readonly isServer?: boolean
  /** Whether the old store is bound, too. */
  readonly withOld?: boolean
  /** Whether requests hold sessions meanwhile. */
  readonly withRequests?: boolean
  /** Whether php-sessions is that of the npm package. */
  readonly withNode?: boolean
  /** What stands for a word in capitals. */
  readonly words?: Readonly<Record<string, string>>
}

const READY = /^Sessions are ready: Redis service app-redis-sessions/m
const KEPT = /sessions are kept in Redis service app-redis-sessions/i
const SHOWN = /^Sessions are kept in Redis service app-redis-sessions/m

const SERVED = { withNode: true, isServer: true, status: 143, says: /http:\/\/127\.0\.0\.1/ } as const

/** The commands of the pages, and the examples of the help, that are run as they are written. */
export const RUNS: Readonly<Record<string, Run>> = {
  'php-sessions explain': { says: SHOWN },
  'php-sessions explain --acl': { says: /^ACL SETUSER php-sessions /m },
  'php-sessions explain --acl --operator': { says: /^ACL SETUSER php-sessions-operator /m },
  'php-sessions explain --json': { says: /^\{\n/ },
  'php-sessions doctor': { says: READY },
  'php-sessions doctor --strict': { says: READY },
  'php-sessions doctor -v': { says: /^✓ .*\(session\.roundtrip, \d+ ms\)$/m },
  'php-sessions doctor --debug': { says: /^ {2}answered \{/m },
  'php-sessions doctor --json': { says: /^\{\n/ },
  'php-sessions doctor --list': { says: /^ *tls\.handshake/m },
  'php-sessions doctor tls.handshake': { says: /^✓ 127\.0\.0\.1:\d+ answers/m },
  'php-sessions exec -- php-sessions doctor': { says: READY },
  'php-sessions exec -- /bin/true': { says: KEPT },
  'php-sessions exec -- php-fpm': { says: /ready to handle connections/, isServer: true },
  'php-sessions exec --watch -- php-fpm': { says: /ready to handle connections/, isServer: true },
  'php-sessions ini': { says: /^session\.save_handler = "redis"$/m },
  'php-sessions ini --output FILE': { says: /^$/ },
  'php-sessions help options': { says: /^PHP_SESSIONS_SERVICE$/m },
  'php-sessions sessions': { says: /had a request in them/ },
  'php-sessions sessions --json': { says: /^\{\n/ },
  'php-sessions sessions --json > last.json': { says: /^$/ },
  'php-sessions sessions --since last.json': { says: /had a request in them/ },
  'php-sessions sessions show 8f14e45fceea167a5a36dedd4bea2543': { says: /^ {2}user_id +int$/m },
  'php-sessions sessions end --where user_id=42': { types: 'y', says: /2 sessions ended/ },
  'php-sessions sessions end --where user_id': { types: 'n', status: 1, says: /sessions\.declined/ },
  'php-sessions sessions end 8f14e45fceea167a5a36dedd4bea2543': { types: 'y', says: /1 session ended/ },
  'php-sessions sessions end --all': { types: 'y', says: /sessions ended/ },
  'php-sessions sessions end --all --yes': { says: /sessions ended/ },
  'php-sessions sessions show 4f0c8b…': { words: { '4f0c8b…': 'phone' }, says: /^ {2}user_id +int$/m },
  'php-sessions sessions show 4f0c8b… --values': {
    words: { '4f0c8b…': 'phone' },
    says: /^ {2}user_id +int +42$/m,
  },
  'php-sessions locks --json': { withRequests: true, says: /"waiting": 5/ },
  'php-sessions locks': { withRequests: true, says: /sessions are locked/ },
  'php-sessions copy --from old-redis-sessions': { withOld: true, says: /3 sessions/ },
  'php-sessions copy --from old-redis': {
    withOld: true,
    words: { 'old-redis': 'old-redis-sessions' },
    says: /3 sessions/,
  },
  'php-sessions copy --from SERVICE': {
    withOld: true,
    words: { SERVICE: 'old-redis-sessions' },
    says: /3 sessions/,
  },
  'php-sessions playground --list': { withNode: true, says: /^ *crash /m },
  'php-sessions playground': SERVED,
  'php-sessions playground --scenario crash': SERVED,
  'php-sessions playground --lanes files,managed:sentinel': SERVED,
}
