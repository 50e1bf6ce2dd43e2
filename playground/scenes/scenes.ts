import type { Promised, Scene, SceneLane, Step } from './scene.ts'

const KEPT: readonly Promised[] = [
  { measure: 'loggedOut', is: 'none' },
  { measure: 'lostUpdates', is: 'none' },
  { measure: 'known at the end', is: 'yes' },
]
const LOGGED_OUT: readonly Promised[] = [{ measure: 'loggedOut', is: 'some' }]

const files = (promises: readonly Promised[]): SceneLane => ({ way: 'files', store: 'redis', promises })
const lane = (
  way: 'peers' | 'native' | 'managed',
  store: SceneLane['store'],
  promises: readonly Promised[],
): SceneLane => ({ way, store, promises })

const BUSY = ['Ada', 'Bob', 'Cid', 'Dora', 'Eve']
/** Does not come while the sessions move. */
const AWAY = 'Zoe'

const SHOP: readonly Step[] = [
  { do: 'click', action: 'login', times: 1, says: 'Ada logs in' },
  { do: 'click', action: 'add', times: 3, says: 'Ada puts three books into the cart' },
]

/** What people report, each as a play. */
export const SCENES: readonly Scene[] = [
  {
    id: 'logged-out',
    title: 'Logged out at random',
    about:
      'Two instances, sessions in local files. The cookie is not called JSESSIONID, so the router sends each request to the next instance.',
    page: 'docs/README.md#it-does-not-work',
    isSticky: false,
    lanes: [files(LOGGED_OUT), lane('native', 'redis', KEPT)],
    steps: [...SHOP, { do: 'click', action: 'visit', times: 6, says: 'Ada looks at six pages' }],
  },
  {
    id: 'crash',
    title: 'An instance crashes',
    about:
      'The router keeps a visitor at one instance, by JSESSIONID. Then that instance dies with its disk.',
    page: 'docs/cloudfoundry.md',
    isSticky: true,
    lanes: [files(LOGGED_OUT), lane('native', 'redis', KEPT), lane('native', 'memcached', KEPT)],
    steps: [
      { do: 'visit own pages', says: "a visitor looks at the app's own pages" },
      ...SHOP,
      { do: 'kill', says: 'the instance that last served Ada is killed' },
      { do: 'click', action: 'visit', times: 4, says: 'Ada looks at four pages' },
      { do: 'start missing', says: 'the platform starts another instance' },
      { do: 'click', action: 'visit', times: 2, says: 'Ada looks at two pages' },
    ],
  },
  {
    id: 'cart',
    title: 'The cart that loses a book',
    about:
      'Twenty clicks at once, as from a page with scripts. Without a lock each request writes back what it read.',
    page: 'docs/contract.md',
    isSticky: false,
    lanes: [lane('peers', 'redis', [{ measure: 'lostUpdates', is: 'some' }]), lane('native', 'redis', KEPT)],
    steps: [
      { do: 'click', action: 'login', times: 1, says: 'Ada logs in' },
      { do: 'click in parallel', times: 20, says: 'Ada puts twenty books into the cart, all at once' },
    ],
  },
  {
    id: 'frozen',
    title: 'The store is frozen',
    about: 'The server accepts connections and never answers, as on a machine that swaps or is being moved.',
    page: 'docs/managed-handler.md#when-the-store-cannot-be-used',
    isSticky: false,
    lanes: [
      lane('peers', 'redis', [{ measure: 'slowest', is: 'above', seconds: 8 }]),
      lane('managed', 'redis', [
        ...KEPT,
        { measure: 'refused', is: 'some' },
        { measure: 'slowest', is: 'below', seconds: 8 },
      ]),
    ],
    steps: [
      ...SHOP,
      { do: 'freeze', says: 'the store is frozen' },
      { do: 'click', action: 'visit', times: 1, says: 'Ada opens a page' },
      { do: 'thaw', says: 'the store runs again' },
      { do: 'click', action: 'visit', times: 2, says: 'Ada opens two more pages' },
    ],
  },
  {
    id: 'restart',
    title: 'The store restarts',
    about: 'A Redis that keeps its data on disk is away for a moment while a visitor keeps clicking.',
    page: 'docs/managed-handler.md#when-the-store-cannot-be-used',
    isSticky: false,
    lanes: [lane('peers', 'redis', LOGGED_OUT), lane('managed', 'redis', KEPT)],
    steps: [
      ...SHOP,
      { do: 'restart store', says: 'the store restarts; Ada keeps clicking' },
      { do: 'click', action: 'visit', times: 2, says: 'Ada opens two more pages' },
    ],
  },
  {
    id: 'failover',
    title: 'The master dies',
    about:
      'Sentinels make a replica the new master. An app that knows only a host and a port stays with the dead one.',
    page: 'docs/managed-handler.md',
    isSticky: false,
    lanes: [
      lane('peers', 'sentinel', [...LOGGED_OUT, { measure: 'known at the end', is: 'no' }]),
      lane('managed', 'sentinel', KEPT),
    ],
    steps: [
      ...SHOP,
      { do: 'fail over', says: 'the master is killed; Ada keeps clicking' },
      { do: 'click', action: 'visit', times: 2, says: 'Ada opens two more pages' },
    ],
  },
  {
    id: 'rotated',
    title: 'The password is rotated',
    about:
      'The broker gives the store a new password, and the app is restarted. A password in the droplet is still the old one.',
    page: 'docs/cloudfoundry.md',
    isSticky: false,
    lanes: [
      lane('peers', 'redis', [...LOGGED_OUT, { measure: 'known at the end', is: 'no' }]),
      lane('managed', 'redis', KEPT),
    ],
    steps: [
      ...SHOP,
      { do: 'rotate', says: 'the store gets a new password' },
      { do: 'click', action: 'visit', times: 1, says: 'Ada opens a page' },
      { do: 'restart instances', says: 'cf restart: one instance after the other' },
      { do: 'click', action: 'visit', times: 2, says: 'Ada opens two more pages' },
    ],
  },
  {
    id: 'slow',
    title: 'Slow pages block everybody',
    about:
      'One visitor opens sixteen slow pages at once. Each waits for the session in a worker of PHP, and there are ten. The managed handler lets two of them wait (PHP_SESSIONS_MAX_WAITING=2).',
    page: 'docs/managed-handler.md#one-visitor-many-requests',
    isSticky: false,
    lanes: [
      lane('native', 'redis', [{ measure: 'slowestOfOthers', is: 'above', seconds: 5 }]),
      {
        ...lane('managed', 'redis', [
          { measure: 'refused', is: 'some' },
          { measure: 'slowestOfOthers', is: 'below', seconds: 5 },
          { measure: 'loggedOut', is: 'none' },
          { measure: 'holder', is: 'named' },
        ]),
        settings: { PHP_SESSIONS_MAX_WAITING: '2' },
      },
    ],
    steps: [
      { do: 'click', action: 'login', times: 1, says: 'Ada logs in' },
      {
        do: 'open slow pages',
        times: 16,
        seconds: 2.5,
        says: 'Ada opens sixteen slow pages; Bob opens one page after another',
      },
    ],
  },
  {
    id: 'move',
    title: 'Moving to another store',
    about:
      'The app gets a new Redis, with rolling deploys, while visitors click. Zoe comes before and after, but not during the move.',
    page: 'docs/moving.md',
    isSticky: false,
    lanes: [
      lane('peers', 'redis', [{ measure: 'visitorsLoggedOut', is: 'all' }]),
      lane('managed', 'redis', [
        { measure: 'visitorsLoggedOut', is: 'none' },
        { measure: 'lostUpdates', is: 'none' },
        { measure: 'known at the end', is: 'yes' },
      ]),
    ],
    steps: [
      {
        do: 'click each',
        visitors: [...BUSY, AWAY],
        action: 'add',
        says: 'six visitors log in, and each puts a book into the cart',
      },
      {
        do: 'move to a new store',
        visitors: BUSY,
        says: 'a new Redis is bound: in place of the old one, or beside it with PHP_SESSIONS_PREVIOUS; a rolling deploy',
      },
      {
        do: 'copy sessions',
        visitors: BUSY,
        says: 'php-sessions copy brings the sessions of visitors who do not come',
      },
      {
        do: 'unbind old store',
        visitors: BUSY,
        says: 'the old Redis and PHP_SESSIONS_PREVIOUS are removed; a rolling deploy',
      },
      { do: 'remove old store', visitors: BUSY, says: 'the old Redis is deleted' },
      { do: 'click each', visitors: [AWAY, ...BUSY], action: 'visit', says: 'all six open a page' },
    ],
  },
]
