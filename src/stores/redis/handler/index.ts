import type { StorePart } from '../../handler/join.ts'
import compression from './compression.php'
import connection from './connection.php'
import head from './head.php'
import install from './install.php'
import openSessions from './open-sessions.php'
import redisSession from './redis-session.php'
import release from './release.lua'
import resp from './resp.php'
import scripts from './scripts.php'
import serverMap from './server-map.php'
import store from './store.php'
import take from './take.lua'

const SCRIPTS: Readonly<Record<string, string>> = { 'take.lua': take, 'release.lua': release }

/** Its client for Redis and Valkey: the servers, and the scripts that they run. */
export const redisClientFiles = [resp, connection, serverMap, withScripts(scripts), store]

/** The managed handler's part for Redis and Valkey. */
export const redisPart: StorePart = {
  head,
  files: [...redisClientFiles, compression, redisSession, openSessions],
  install,
}

/** A line that is the name of a script stands for the script. */
function withScripts(file: string): string {
  return file.replace(/^( *)([a-z]+\.lua)$/gm, (_, indent: string, name: string) =>
    (SCRIPTS[name] ?? '').trimEnd().replace(/^/gm, indent),
  )
}

/** The scripts that the handler runs, as it sends them. */
export const handlerScripts: Readonly<Record<'take' | 'release' | 'read', string>> = {
  take: take.trimEnd(),
  release: release.trimEnd(),
  read: /READ = \[\s+'\w+',\s+"(.+)"/.exec(scripts)?.[1] ?? '',
}
