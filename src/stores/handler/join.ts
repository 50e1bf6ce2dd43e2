import serverName from './connection/server-name.php'
import tls from './connection/tls.php'
import transport from './connection/transport.php'
import failures from './failures.php'
import handler from './handler.php'
import install from './install.php'
import lifetime from './lifetime.php'
import lockedSession from './locked-session.php'
import movedSession from './moving/moved-session.php'
import outage from './moving/outage.php'
import previousFile from './moving/previous.php'
import ownFile from './own-file.php'
import page from './page.php'
import compressed from './sealing/compressed.php'
import envelope from './sealing/envelope.php'
import keyring from './sealing/keyring.php'
import places from './sealing/places.php'
import sealedSession from './sealing/sealed-session.php'
import settings from './settings.php'
import surroundings from './surroundings.php'
import symfony from './symfony.php'
import timedSession from './timed-session.php'
import holder from './waiting/holder.php'
import pool from './waiting/pool.php'
import wait from './waiting/wait.php'
import warnings from './warnings.php'

/** A store's part of a managed handler. */
export interface StorePart {
  /** `<?php` and a comment, which the joined file begins with. */
  readonly head: string
  /** PHP files, among them a class that is a LockedSession. */
  readonly files: readonly string[]
  /** A PHP file that calls `install` with that class. */
  readonly install: string
}

/** What every store's client is made of, besides the settings. */
export const COMMON_CLIENT: readonly string[] = [
  ...[failures, warnings, surroundings, tls, serverName, transport],
  ...[compressed, envelope, keyring],
]

/** What a handler needs of the store that had the sessions before. */
export interface PreviousPart {
  /** PHP files, among them this function, which makes a LockedSession of the path of its settings. */
  readonly files: readonly string[]
  readonly open: string
}

/** A managed handler as it ships: one PHP file, joined from the files of this folder and a store's. */
export function joinHandler(
  { head, files, install: storeInstall }: StorePart,
  previous?: PreviousPart,
): string {
  const moving =
    previous === undefined
      ? []
      : [
          ...previous.files.filter((file) => !files.includes(file)),
          movedSession,
          outage,
          previousFile.replace('openPrevious(', `${previous.open}(`),
        ]
  const ownFiles = [
    failures,
    warnings,
    surroundings,
    settings,
    pool,
    tls,
    serverName,
    transport,
    lifetime,
    holder,
    wait,
    lockedSession,
    timedSession,
    compressed,
    envelope,
    keyring,
    sealedSession,
    places,
  ]
  const all = [...ownFiles, ...files, ...moving, page, handler, install, storeInstall, ownFile, symfony]
  return [head, `namespace PhpSessions;\n\n${useFunctions(all)}\n`, ...all.map(withoutHead)].join('\n')
}

/** A PHP file without its first lines, to be joined to others. */
export function withoutHead(file: string): string {
  return file.replace(/^<\?php\n+(namespace PhpSessions;\n+)?(use function [^;]*;\n+)?/, '')
}

/**
 * Names PHP's functions that the files name. Without this PHP looks for a function of the same name in the namespace first,
 * anew in each request.
 */
function useFunctions(files: readonly string[]): string {
  const names = files.flatMap((file) => /^use function ([^;]*);/m.exec(file)?.[1]?.split(/,\s+/) ?? [])
  return `use function ${[...new Set(names)].sort().join(', ')};`
}
